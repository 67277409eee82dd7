#pragma once
/// Bodies of io/tokenizer/json.hpp.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/json_steps.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/token_table.hpp>

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
    parse_vocabulary(vocabulary, spec);
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

/// An added token as an object describes it, all but its id.
PLATEAU_INLINE added_token added_token_of(json const& entry, std::string const& where) {
    if (!entry.is_object()) throw config_error(where, ": an added token must be an object, found ", describe(entry));
    added_token token;
    token.content = field<std::string>(entry, "content", where);
    token.strip_left = field_or<bool>(entry, "lstrip", false, where);
    token.strip_right = field_or<bool>(entry, "rstrip", false, where);
    token.normalized = field_or<bool>(entry, "normalized", false, where);
    token.single_word = field_or<bool>(entry, "single_word", false, where);
    token.special = field_or<bool>(entry, "special", false, where);
    return token;
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

PLATEAU_INLINE added_token* find_added(std::vector<added_token>& among, std::string_view text) {
    for (auto& token : among) {
        if (token.content == text) return &token;
    }
    return nullptr;
}

/// Adds a token as tokenizers does: one that is there keeps its id and takes the new options, another gets the next id.
PLATEAU_INLINE void add_token(tokenizer_spec& spec, added_token& token) {
    if (token.content.empty()) return;
    auto* const known = find_added(spec.added, token.content);
    if (known != nullptr) {
        token.id = known->id;
        std::swap(*known, token);
        return;
    }
    token.id = static_cast<token_id>(spec.tokens.size());
    for (auto const& other : spec.added) {
        if (other.id >= token.id) token.id = other.id + 1;
    }
    if (auto const id = find_token(spec, token.content)) token.id = *id;
    spec.added.push_back(std::move(token));
}

/// As tokenizers adds them: one that is in the vocabulary has its id, another the next free one, whatever the file
/// says.
PLATEAU_INLINE void parse_added_tokens(json const& root, tokenizer_spec& spec, std::string const& where) {
    json const* const added = find_field(root, "added_tokens");
    if (added == nullptr) return;
    if (!added->is_array()) throw config_error(where, ": \"added_tokens\" must be an array, found ", describe(*added));
    token_table places;
    for (json const& entry : elements_of(*added)) {
        auto token = added_token_of(entry, where);
        json const* const id = find_field(entry, "id");
        if (id == nullptr) throw config_error(where, ": the added token ", printable(token.content), " has no id");
        parse_token_id(*id, where);
        token.id = no_token;
        if (token.content.empty()) continue;
        auto const known = places.find(token.content);
        if (known != no_token) {
            std::swap(spec.added[static_cast<std::size_t>(known)], token);
            continue;
        }
        places.insert(token.content, static_cast<token_id>(spec.added.size()));
        spec.added.push_back(std::move(token));
    }
    for (auto const& [text, id] : spec.tokens) {
        if (auto const at = places.find(text); at != no_token) spec.added[static_cast<std::size_t>(at)].id = id;
    }
    auto next = static_cast<token_id>(spec.tokens.size());
    for (auto& token : spec.added) {
        if (token.id == no_token) token.id = next;
        if (token.id >= next && token.id < std::numeric_limits<token_id>::max()) next = token.id + 1;
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

}  // namespace detail

PLATEAU_INLINE tokenizer_spec parse_tokenizer_json(std::string_view json_text, std::string const& where) {
    auto const document = parse_json(json_text, where);
    json const& root = document.root();
    if (!root.is_object()) throw config_error(where, ": a tokenizer must be an object, found ", describe(root));
    tokenizer_spec spec;
    spec.where = where;
    json const* const model = find_field(root, "model");
    if (model == nullptr || !model->is_object()) throw config_error(where, ": the tokenizer has no \"model\"");
    parse_tokenizer_steps(root, spec);
    detail::parse_bpe(*model, spec, where);
    detail::parse_added_tokens(root, spec, where);
    for (json const& part : detail::parts_of(root, "post_processor", "processors", where)) {
        auto const type = detail::type_of(part, where);
        if (type == "TemplateProcessing") detail::parse_template(part, spec, where);
        else if (type != "ByteLevel") detail::refuse_tokenizer(where, concat({"the post-processor ", printable(type)}));
    }
    return spec;
}

PLATEAU_INLINE void parse_tokenizer_steps(json const& root, tokenizer_spec& spec) {
    parse_normalizer(root, spec);
    parse_pretokenizer(root, spec);
    parse_decoder(root, spec);
}

PLATEAU_INLINE void parse_vocabulary(json const& vocabulary, tokenizer_spec& spec) {
    for (json const& id : members_of(vocabulary))
        spec.tokens.push_back({std::string{id.key()}, detail::parse_token_id(id, spec.where)});
}

namespace detail {

/// Appends the added tokens of tokenizer_config.json, or else of added_tokens.json. Returns the order of their numbers.
PLATEAU_INLINE std::vector<std::size_t> read_numbered_tokens(tokenizer_settings const& from,
                                                             std::vector<added_token>& tokens) {
    json const* const decoder = find_field(from.config, "added_tokens_decoder");
    if (decoder != nullptr && !decoder->is_object())
        throw config_error(from.where, ": \"added_tokens_decoder\" must be an object, found ", describe(*decoder));
    std::vector<std::uint64_t> numbers;
    for (json const& entry : members_of(decoder != nullptr ? *decoder : from.added_tokens)) {
        auto const key = entry.key();
        std::uint64_t number = 0;
        added_token token;
        if (decoder == nullptr) {
            number = static_cast<std::uint64_t>(parse_token_id(entry, from.where));
            token.content = key;
            token.normalized = true;
        } else {
            token = added_token_of(entry, from.where);
            auto const* const end = key.data() + key.size();
            if (std::from_chars(key.data(), end, number).ptr != end) {
                throw config_error(from.where, ": the key ", printable(key),
                                   " of \"added_tokens_decoder\" is no token id");
            }
        }
        numbers.push_back(number);
        tokens.push_back(std::move(token));
    }
    return order_by(numbers);
}

/// A special token that a configuration names by its text or describes by an object.
PLATEAU_INLINE added_token named_token(json const& value, std::string_view key, std::string const& where) {
    if (!value.is_string() && !(value.is_object() && find_field(value, "content") != nullptr))
        throw config_error(where, ": \"", key, "\" must be a token, found ", describe(value));
    added_token token;
    if (value.is_string()) token.content = text_of(value);
    else token = added_token_of(value, where);
    token.special = true;
    return token;
}

}  // namespace detail

PLATEAU_INLINE void apply_tokenizer_config(tokenizer_spec& spec, tokenizer_settings const& from) {
    using namespace detail;
    bool const numbered = find_field(from.config, "added_tokens_decoder") != nullptr;
    auto const member = [&](std::string_view key) {
        json const* value = numbered ? nullptr : find_field(from.special_tokens_map, key);
        if (value == nullptr) value = find_member(from.config, key);
        if (value == nullptr) value = find_field(from.defaults, key);
        return value == nullptr || value->kind() == json::type::null ? nullptr : value;
    };
    std::vector<added_token> special, tokens;
    constexpr std::string_view named[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};
    for (auto const key : named) {
        if (json const* const value = member(key)) special.push_back(named_token(*value, key, from.where));
    }
    for (json const& entry : members_of(from.config)) {  // "image_token" and the like
        bool usual = false;
        for (auto const key : named) usual = usual || entry.key() == key;
        if (!usual && entry.is_string() && entry.key().ends_with("_token"))
            special.push_back(named_token(entry, entry.key(), from.where));
    }
    char const* const extra =
        member("extra_special_tokens") != nullptr ? "extra_special_tokens" : "additional_special_tokens";
    if (json const* const list = member(extra); list != nullptr && (list->is_array() || list->is_object())) {
        for (json const& entry : list->is_array() ? elements_of(*list) : members_of(*list))
            special.push_back(named_token(entry, extra, from.where));
    }
    if (field_or<bool>(from.config, "split_special_tokens", false, from.where))
        refuse_tokenizer(from.where, "\"split_special_tokens\"");
    auto const order = read_numbered_tokens(from, tokens);
    for (auto const at : order) {
        auto& token = tokens[at];
        if (find_added(special, token.content) != nullptr) {
            if (!numbered) token.normalized = false;
            token.special = true;
        }
        add_token(spec, token);
    }
    for (auto& token : special) {
        if (find_added(spec.added, token.content) == nullptr) add_token(spec, token);
    }
    auto const id_of = [&](char const* key) -> std::optional<token_id> {
        json const* const value = member(key);
        if (value == nullptr) return std::nullopt;
        return find_token(spec, text_of(value->is_string() ? *value : *find_field(*value, "content")));
    };
    if (auto const eos = id_of("eos_token")) spec.eos = eos;
    // What the template adds outranks what the configuration calls it.
    if (auto const bos = id_of("bos_token"); bos && !spec.adds_bos) spec.bos = bos;
    if (from.whole) return;  // the post-processor alone says what is added
    spec.adds_bos = field_or<bool>(from.config, "add_bos_token", spec.adds_bos, from.where);
    if (field_or<bool>(from.config, "add_eos_token", false, from.where))
        refuse_tokenizer(from.where, "\"add_eos_token\"");
    if (spec.adds_bos && !spec.bos)
        throw config_error(from.where, ": \"add_bos_token\" is set, but \"bos_token\" names no token");
}

}  // namespace plateau::io
