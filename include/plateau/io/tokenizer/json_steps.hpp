#pragma once
/// The steps of a tokenizer.json: normalizer, pre-tokenizer and decoder.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// Reads "normalizer": NFC, NFD, NFKC, NFKD, Prepend, Replace of a text, Strip, or a Sequence of them.
/// @param root  the whole tokenizer      @throws config_error that names what is malformed or not supported
void parse_normalizer(json const& root, tokenizer_spec& spec);

/// Reads "pre_tokenizer": Split, Digits, Metaspace, and as the last ByteLevel; one, a Sequence of them, or none.
/// Without ByteLevel the symbols of the model are characters. @throws as parse_normalizer
void parse_pretokenizer(json const& root, tokenizer_spec& spec);

/// Reads "decoder": ByteLevel, ByteFallback, Fuse, Replace of a text, Strip, Metaspace, or a Sequence of them.
/// @throws as parse_normalizer
void parse_decoder(json const& root, tokenizer_spec& spec);

namespace detail {

[[gnu::cold, noreturn]] inline void refuse_tokenizer(std::string const& where, std::string_view what) {
    throw config_error(where, ": ", what, " is not supported. Give token ids instead of text");
}

[[gnu::cold]] inline std::string_view type_of(json const& part, std::string const& where) {
    json const* const type = part.is_object() ? find_field(part, "type") : nullptr;
    if (type == nullptr || !type->is_string()) throw config_error(where, ": a part of the tokenizer has no \"type\"");
    return text_of(*type);
}

/// The parts of a sequence, a single part, or none.
[[gnu::cold]] inline std::vector<json const*> parts_of(json const& root, char const* key, char const* list,
                                                       std::string const& where) {
    constexpr std::size_t most = 64;
    json const* const part = find_field(root, key);
    if (part == nullptr) return {};
    if (type_of(*part, where) != "Sequence") return {part};
    json const* const parts = find_field(*part, list);
    if (parts == nullptr || !parts->is_array())
        throw config_error(where, ": the sequence in \"", key, "\" has no \"", list, "\"");
    if (parts->size() > most) refuse_tokenizer(where, concat({"a \"", key, "\" of ", parts->size(), " steps"}));
    std::vector<json const*> found;
    for (json const& one : elements_of(*parts)) found.push_back(&one);
    return found;
}

[[gnu::cold]] inline std::string non_empty(json const& part, std::string_view key, std::string const& where) {
    auto text = field<std::string>(part, key, where);
    if (text.empty()) throw config_error(where, ": \"", key, "\" of a part of the tokenizer is empty");
    return text;
}

/// The text of {"pattern": {"String": text}}.
[[gnu::cold]] inline std::string literal_pattern(json const& part, std::string const& where) {
    json const& pattern = object_field(part, "pattern", where);
    if (find_field(pattern, "Regex") != nullptr) {
        refuse_tokenizer(where, concat({"the regular expression ",
                                        printable(field<std::string>(pattern, "Regex", where)), " of a Replace"}));
    }
    return non_empty(pattern, "String", where);
}

[[gnu::cold]] inline void parse_normalizer_step(json const& part, tokenizer_spec& spec) {
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

[[gnu::cold]] inline split_behavior parse_split_behavior(json const& part, std::string const& where) {
    auto const name = field<std::string>(part, "behavior", where);
    if (name == "Isolated") return split_behavior::isolated;
    if (name == "Removed") return split_behavior::removed;
    if (name == "Contiguous") return split_behavior::contiguous;
    if (name == "MergedWithPrevious") return split_behavior::merged_with_previous;
    if (name == "MergedWithNext") return split_behavior::merged_with_next;
    refuse_tokenizer(where, concat({"the split behavior ", printable(name)}));
}

[[gnu::cold]] inline void parse_split(json const& part, tokenizer_spec& spec) {
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
[[gnu::cold]] inline std::string prepend_scheme(json const& part, std::string const& where) {
    auto const scheme = field_or<std::string>(part, "prepend_scheme", "always", where);
    if (scheme != "always" && scheme != "first" && scheme != "never")
        refuse_tokenizer(where, concat({"the prepend_scheme ", printable(scheme)}));
    return field_or<bool>(part, "add_prefix_space", true, where) ? scheme : "never";
}

[[gnu::cold]] inline void parse_metaspace(json const& part, tokenizer_spec& spec) {
    using action = text_step::action;
    auto const mark = non_empty(part, "replacement", spec.where);
    auto const scheme = prepend_scheme(part, spec.where);
    add_step(spec.words, action::replace, " ", mark);
    if (scheme != "never") add_step(spec.words, scheme == "first" ? action::prefix_first : action::prefix, mark);
    if (field_or<bool>(part, "split", true, spec.where))
        add_step(spec.words, action::split_at_text, mark).behavior = split_behavior::merged_with_next;
}

[[gnu::cold]] inline void parse_pretokenizer_step(json const& part, tokenizer_spec& spec) {
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

[[gnu::cold]] inline std::size_t count_field(json const& part, std::string_view key, std::string const& where) {
    auto const count = field<index>(part, key, where);
    if (count < 0) throw config_error(where, ": \"", key, "\" of a decoder is negative");
    return static_cast<std::size_t>(count);
}

[[gnu::cold]] inline void parse_decoder_step(json const& part, tokenizer_spec& spec) {
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

[[gnu::cold]] inline void parse_normalizer(json const& root, tokenizer_spec& spec) {
    for (json const* part : detail::parts_of(root, "normalizer", "normalizers", spec.where))
        detail::parse_normalizer_step(*part, spec);
}

[[gnu::cold]] inline void parse_pretokenizer(json const& root, tokenizer_spec& spec) {
    spec.model.characters = true;
    for (json const* part : detail::parts_of(root, "pre_tokenizer", "pretokenizers", spec.where))
        detail::parse_pretokenizer_step(*part, spec);
}

[[gnu::cold]] inline void parse_decoder(json const& root, tokenizer_spec& spec) {
    for (json const* part : detail::parts_of(root, "decoder", "decoders", spec.where))
        detail::parse_decoder_step(*part, spec);
}

}  // namespace plateau::io
