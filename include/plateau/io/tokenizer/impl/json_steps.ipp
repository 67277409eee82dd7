#pragma once
/// Bodies of io/tokenizer/json_steps.hpp.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/json_steps.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

namespace detail {

PLATEAU_INLINE void refuse_tokenizer(std::string const& where, std::string_view what) {
    throw config_error(where, ": ", what, " is not supported. Give token ids instead of text");
}

PLATEAU_INLINE std::string_view type_of(json const& part, std::string const& where) {
    json const* const type = part.is_object() ? find_field(part, "type") : nullptr;
    if (type == nullptr || !type->is_string()) throw config_error(where, ": a part of the tokenizer has no \"type\"");
    return text_of(*type);
}

PLATEAU_INLINE json_children parts_of(json const& root, char const* key, char const* list, std::string const& where) {
    constexpr std::size_t most = 64;
    json const* const part = find_field(root, key);
    if (part == nullptr) return {};
    if (type_of(*part, where) != "Sequence") return json_children::alone(*part);
    json const* const parts = find_field(*part, list);
    if (parts == nullptr || !parts->is_array())
        throw config_error(where, ": the sequence in \"", key, "\" has no \"", list, "\"");
    if (parts->size() > most) refuse_tokenizer(where, concat({"a \"", key, "\" of ", parts->size(), " steps"}));
    return elements_of(*parts);
}

PLATEAU_INLINE std::string non_empty(json const& part, std::string_view key, std::string const& where) {
    auto text = field<std::string>(part, key, where);
    if (text.empty()) throw config_error(where, ": \"", key, "\" of a part of the tokenizer is empty");
    return text;
}

/// The text of {"pattern": {"String": text}}.
PLATEAU_INLINE std::string literal_pattern(json const& part, std::string const& where) {
    json const& pattern = object_field(part, "pattern", where);
    if (find_field(pattern, "Regex") != nullptr) {
        refuse_tokenizer(where, concat({"the regular expression ",
                                        printable(field<std::string>(pattern, "Regex", where)), " of a Replace"}));
    }
    return non_empty(pattern, "String", where);
}

PLATEAU_INLINE void parse_normalizer_step(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const& where = spec.where;
    auto const type = type_of(part, where);
    if (type == "NFC") add_step(spec.normal, action::nfc);
    else if (type == "NFD") add_step(spec.normal, action::nfd);
    else if (type == "NFKC") add_step(spec.normal, action::nfkc);
    else if (type == "NFKD") add_step(spec.normal, action::nfkd);
    else if (type == "Prepend") add_step(spec.normal, action::prepend, field<std::string>(part, "prepend", where));
    else if (type == "Replace")
        add_step(spec.normal, action::replace, literal_pattern(part, where),
                 field<std::string>(part, "content", where));
    else if (type == "Strip") {
        if (field_or<bool>(part, "strip_left", true, where)) add_step(spec.normal, action::strip_left);
        if (field_or<bool>(part, "strip_right", true, where)) add_step(spec.normal, action::strip_right);
    } else refuse_tokenizer(where, concat({"the normalizer ", printable(type)}));
}

PLATEAU_INLINE split_behavior parse_split_behavior(json const& part, std::string const& where) {
    auto const name = field<std::string>(part, "behavior", where);
    if (name == "Isolated") return split_behavior::isolated;
    if (name == "Removed") return split_behavior::removed;
    if (name == "Contiguous") return split_behavior::contiguous;
    if (name == "MergedWithPrevious") return split_behavior::merged_with_previous;
    if (name == "MergedWithNext") return split_behavior::merged_with_next;
    refuse_tokenizer(where, concat({"the split behavior ", printable(name)}));
}

PLATEAU_INLINE void parse_split(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const& where = spec.where;
    json const& pattern = object_field(part, "pattern", where);
    bool const regular = find_field(pattern, "Regex") != nullptr;
    auto const text = non_empty(pattern, regular ? "Regex" : "String", where);
    auto& step = regular ? add_step(spec.words, action::split_at_pattern, pcre_of_oniguruma(text, where))
                         : add_step(spec.words, action::split_at_text, text);
    step.behavior = parse_split_behavior(part, where);
    step.invert = field_or<bool>(part, "invert", false, where);
}

/// "always", "first" or "never"; older files have add_prefix_space alone.
PLATEAU_INLINE std::string prepend_scheme(json const& part, std::string const& where) {
    auto const scheme = field_or<std::string>(part, "prepend_scheme", "always", where);
    if (scheme != "always" && scheme != "first" && scheme != "never")
        refuse_tokenizer(where, concat({"the prepend_scheme ", printable(scheme)}));
    return field_or<bool>(part, "add_prefix_space", true, where) ? scheme : "never";
}

PLATEAU_INLINE void parse_metaspace(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const mark = non_empty(part, "replacement", spec.where);
    auto const scheme = prepend_scheme(part, spec.where);
    add_step(spec.words, action::replace, " ", mark);
    if (scheme != "never") add_step(spec.words, scheme == "first" ? action::prefix_first : action::prefix, mark);
    if (field_or<bool>(part, "split", true, spec.where))
        add_step(spec.words, action::split_at_text, mark).behavior = split_behavior::merged_with_next;
}

PLATEAU_INLINE void parse_pretokenizer_step(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const& where = spec.where;
    auto const type = type_of(part, where);
    if (!spec.model.characters)
        refuse_tokenizer(where, concat({"the pre-tokenizer ", printable(type), " after ByteLevel"}));
    if (type == "ByteLevel") {
        if (field_or<bool>(part, "add_prefix_space", true, where)) add_step(spec.words, action::prefix, " ");
        if (field_or<bool>(part, "use_regex", true, where))
            add_step(spec.words, action::split_at_pattern, pcre_of_oniguruma(gpt2_words, where));
        spec.model.characters = false;
    } else if (type == "Digits") {
        bool const each = field_or<bool>(part, "individual_digits", false, where);
        add_step(spec.words, action::split_at_pattern, R"(\p{N})").behavior =
            each ? split_behavior::isolated : split_behavior::contiguous;
    } else if (type == "Split") {
        parse_split(part, spec);
    } else if (type == "Metaspace") {
        parse_metaspace(part, spec);
    } else {
        refuse_tokenizer(where, concat({"the pre-tokenizer ", printable(type)}));
    }
}

PLATEAU_INLINE std::size_t count_field(json const& part, std::string_view key, std::string const& where) {
    auto const count = field<index>(part, key, where);
    if (count < 0) throw config_error(where, ": \"", key, "\" of a decoder is negative");
    return static_cast<std::size_t>(count);
}

PLATEAU_INLINE void parse_decoder_step(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const& where = spec.where;
    auto const type = type_of(part, where);
    if (type == "ByteLevel") add_step(spec.decoding, action::byte_letters);
    else if (type == "ByteFallback") add_step(spec.decoding, action::byte_fallback);
    else if (type == "Fuse") add_step(spec.decoding, action::fuse);
    else if (type == "Replace")
        add_step(spec.decoding, action::replace, literal_pattern(part, where),
                 field<std::string>(part, "content", where));
    else if (type == "Strip") {
        auto& step = add_step(spec.decoding, action::strip, non_empty(part, "content", where));
        step.left = count_field(part, "start", where);
        step.right = count_field(part, "stop", where);
    } else if (type == "Metaspace")
        add_step(spec.decoding, prepend_scheme(part, where) == "never" ? action::metaspace_all : action::metaspace,
                 non_empty(part, "replacement", where));
    else refuse_tokenizer(where, concat({"the decoder ", printable(type)}));
}

}  // namespace detail

PLATEAU_INLINE void parse_normalizer(json const& root, tokenizer_spec& spec) {
    for (json const& part : detail::parts_of(root, "normalizer", "normalizers", spec.where))
        detail::parse_normalizer_step(part, spec);
}

PLATEAU_INLINE void parse_pretokenizer(json const& root, tokenizer_spec& spec) {
    spec.model.characters = true;
    for (json const& part : detail::parts_of(root, "pre_tokenizer", "pretokenizers", spec.where))
        detail::parse_pretokenizer_step(part, spec);
}

PLATEAU_INLINE void parse_decoder(json const& root, tokenizer_spec& spec) {
    for (json const& part : detail::parts_of(root, "decoder", "decoders", spec.where))
        detail::parse_decoder_step(part, spec);
}

}  // namespace plateau::io
