#pragma once
/// Bodies of io/tokenizer/json.hpp.

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/json_steps.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

namespace detail {

PLATEAU_INLINE token_id parse_token_id(json const& value, std::string const& where) {
    constexpr index most = std::numeric_limits<token_id>::max();
    index const id = json_is<index>(value) ? value_of<index>(value) : -1;
    if (id < 0 || id > most) {
        throw config_error(where, ": a token id must be a non-negative integer, found ", describe(value));
    }
    return static_cast<token_id>(id);
}

PLATEAU_INLINE void parse_bpe_options(json const& model, tokenizer_spec& spec, std::string const& where) {
    if (auto const type = field_or<std::string>(model, "type", "BPE", where); type != "BPE") {
        refuse_tokenizer(where, concat({"the model ", printable(type)}));
    }
    spec.model.byte_fallback = field_or<bool>(model, "byte_fallback", false, where);
    spec.model.fuse_unknown = field_or<bool>(model, "fuse_unk", false, where);
    if (spec.model.byte_fallback && !spec.model.characters)
        refuse_tokenizer(where, "\"byte_fallback\" with the pre-tokenizer ByteLevel");
    for (char const* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!field_or<std::string>(model, key, "", where).empty()) refuse_tokenizer(where, concat({"\"", key, "\""}));
    }
    if (field_or<double>(model, "dropout", 0, where) != 0) refuse_tokenizer(where, "\"dropout\"");
    spec.model.whole_words = field_or<bool>(model, "ignore_merges", false, where);
}

PLATEAU_INLINE void parse_bpe(json const& model, tokenizer_spec& spec, std::string const& where) {
    parse_bpe_options(model, spec, where);
    json const& vocabulary = object_field(model, "vocab", where);
    for (json const& id : members_of(vocabulary))
        spec.tokens.push_back({std::string{id.key()}, parse_token_id(id, where)});
    if (auto const unknown = optional_field<std::string>(model, "unk_token", where)) {
        json const* const at = find_member(vocabulary, *unknown);
        if (at == nullptr)
            throw config_error(where, ": the unknown token ", printable(*unknown), " is not in the vocabulary");
        spec.model.unknown = parse_token_id(*at, where);
    }
    json const* const merges = find_field(model, "merges");
    if (merges == nullptr || !merges->is_array()) throw config_error(where, ": \"merges\" must be an array");
    for (json const& merge : elements_of(*merges)) {
        auto const [first, second] = pair_of(merge);
        std::string left, right;
        if (first != nullptr && first->is_string() && second->is_string()) {
            left = text_of(*first);
            right = text_of(*second);
        } else if (!merge.is_string() || !split_merge(text_of(merge), left, right)) {
            throw config_error(where, ": a merge must be two tokens, found ", describe(merge));
        }
        spec.merges.emplace_back(std::move(left), std::move(right));
    }
}

PLATEAU_INLINE void parse_added_tokens(json const& root, tokenizer_spec& spec, std::string const& where) {
    json const* const added = find_field(root, "added_tokens");
    if (added == nullptr) return;
    if (!added->is_array()) throw config_error(where, ": \"added_tokens\" must be an array, found ", describe(*added));
    for (json const& entry : elements_of(*added)) {
        if (!entry.is_object())
            throw config_error(where, ": an added token must be an object, found ", describe(entry));
        added_token token;
        token.content = field<std::string>(entry, "content", where);
        json const* const id = find_field(entry, "id");
        if (id == nullptr) throw config_error(where, ": the added token ", printable(token.content), " has no id");
        token.id = parse_token_id(*id, where);
        token.strip_left = field_or<bool>(entry, "lstrip", false, where);
        token.strip_right = field_or<bool>(entry, "rstrip", false, where);
        token.normalized = field_or<bool>(entry, "normalized", false, where);
        token.single_word = field_or<bool>(entry, "single_word", false, where);
        token.special = field_or<bool>(entry, "special", false, where);
        spec.added.push_back(std::move(token));
    }
}

/// The tokens that a template puts around a text: one before it is taken for bos, anything else refused.
PLATEAU_INLINE void parse_template(json const& part, tokenizer_spec& spec, std::string const& where) {
    auto const fail = [&](std::string_view what) {
        throw config_error(where, ": the template of the post-processor ", what);
    };
    json const* const single = find_field(part, "single");
    if (single == nullptr || !single->is_array()) fail("has no \"single\"");
    bool text = false;
    for (json const& piece : elements_of(*single)) {
        if (!piece.is_object()) fail("has a piece that is no object");
        if (find_member(piece, "Sequence") != nullptr) {
            text = true;
            continue;
        }
        json const& special = object_field(piece, "SpecialToken", where);
        auto const name = field<std::string>(special, "id", where);
        if (text || spec.adds_bos)
            refuse_tokenizer(where, concat({"the token ", printable(name), " that the post-processor adds"}));
        json const& tokens = object_field(part, "special_tokens", where);
        json const& token = object_field(tokens, name, where);
        json const* const ids = find_field(token, "ids");
        if (ids == nullptr || !ids->is_array() || ids->size() != 1) {
            fail(concat({"needs one id for ", printable(name)}));
        }
        spec.bos = parse_token_id(*elements_of(*ids).begin(), where);
        spec.adds_bos = true;
    }
}

PLATEAU_INLINE std::optional<token_id> find_token(tokenizer_spec const& spec, std::string_view text) {
    for (auto const& token : spec.added) {
        if (token.content == text) return token.id;
    }
    for (auto const& [token, id] : spec.tokens) {
        if (token == text) return id;
    }
    return std::nullopt;
}

}  // namespace detail

PLATEAU_INLINE tokenizer_spec parse_tokenizer_json(std::string_view json_text, std::string const& where) {
    auto const document = parse_json(json_text, where);
    json const& root = document.root();
    if (!root.is_object()) throw config_error(where, ": a tokenizer must be an object, found ", describe(root));
    tokenizer_spec spec;
    spec.where = where;
    json const* const model = find_field(root, "model");
    if (model == nullptr || !model->is_object()) throw config_error(where, ": the tokenizer has no \"model\"");
    parse_normalizer(root, spec);
    parse_pretokenizer(root, spec);
    detail::parse_bpe(*model, spec, where);
    detail::parse_added_tokens(root, spec, where);
    for (json const& part : detail::parts_of(root, "post_processor", "processors", where)) {
        auto const type = detail::type_of(part, where);
        if (type == "TemplateProcessing") detail::parse_template(part, spec, where);
        else if (type != "ByteLevel") detail::refuse_tokenizer(where, concat({"the post-processor ", printable(type)}));
    }
    parse_decoder(root, spec);
    json const* const padding = find_field(root, "padding");
    json const* const strategy = padding == nullptr ? nullptr : find_field(*padding, "strategy");
    if (find_field(root, "truncation") != nullptr) detail::refuse_tokenizer(where, "\"truncation\"");
    if (strategy != nullptr && strategy->is_object()) detail::refuse_tokenizer(where, "\"padding\" to a fixed length");
    return spec;
}

PLATEAU_INLINE void apply_tokenizer_config(tokenizer_spec& spec, std::string_view json_text, std::string const& where) {
    auto const document = parse_json(json_text, where);
    json const& root = document.root();
    if (!root.is_object()) throw config_error(where, ": a configuration must be an object, found ", describe(root));
    auto const named = [&](char const* key) -> std::optional<token_id> {
        json const* value = find_field(root, key);
        if (value != nullptr && value->is_object()) value = find_field(*value, "content");
        if (value == nullptr) return std::nullopt;
        if (!value->is_string()) throw config_error(where, ": \"", key, "\" must be a token, found ", describe(*value));
        return detail::find_token(spec, text_of(*value));
    };
    if (auto const eos = named("eos_token")) spec.eos = eos;
    // What the template adds outranks what the configuration calls it.
    if (auto const bos = named("bos_token"); bos && !spec.adds_bos) spec.bos = bos;
    auto type = field_or<std::string>(root, "tokenizer_class", "", where);
    if (type.ends_with("Fast")) type.resize(type.size() - 4);
    bool const like_llama = type == "LlamaTokenizer" || type == "CodeLlamaTokenizer" || type == "GemmaTokenizer";
    spec.adds_bos = field_or<bool>(root, "add_bos_token", spec.adds_bos || (like_llama && spec.bos), where);
    if (field_or<bool>(root, "add_eos_token", false, where)) detail::refuse_tokenizer(where, "\"add_eos_token\"");
    if (spec.adds_bos && !spec.bos)
        throw config_error(where, ": \"add_bos_token\" is set, but \"bos_token\" names no token");
}

}  // namespace plateau::io
