#pragma once
/// Bodies of program/report/page.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>
#include <plateau/models/readable.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/report/embedded.hpp>
#include <plateau/program/report/page.hpp>
#include <plateau/program/report/printed.hpp>
#include <plateau/program/report/spelling.hpp>

namespace plateau::program::report {

namespace detail {

/// What a page has room for: numbers of one array and of all, prompts, bytes of pictures, letters of a prompt.
inline constexpr index most_numbers = 100'000, most_in_all = 600'000, most_labels = 1'500'000, most_tokens = 1'000'000,
                       most_prompts = 4000, most_listed = 1000;
inline constexpr std::size_t most_picture_bytes = 24u << 20, prompt_length = 240;
inline constexpr int digits = 5;  ///< of curves: a picture of them needs no more

PLATEAU_PROGRAM_INLINE bool ends_with_axes(std::vector<std::string> const& axes, std::vector<std::string> const& last) {
    return axes.size() >= last.size() && std::equal(last.begin(), last.end(), axes.end() - std::ssize(last));
}

/// "[a,b,c]" of texts that are JSON already.
template <class Things, class Json>
std::string list(Things const& things, Json const& json_of) {
    std::string text = "[";
    for (auto const& one : things) (text += text.size() > 1 ? "," : "") += json_of(one);
    return text + ']';
}

/// Keys of summary.json that may differ between runs of the same results, and `options`, which a page lists apart.
PLATEAU_PROGRAM_INLINE bool is_of_the_run(std::string const& key) {
    static constexpr std::array names{"threads", "options", "peak_memory", "ranks", "resumed_points"};
    return std::find(names.begin(), names.end(), key) != names.end() || key.ends_with("seconds") ||
           key.ends_with("per_second");
}

PLATEAU_PROGRAM_INLINE std::string row(std::string const& name, std::string const& cell, char const* kind = "") {
    return "<tr><th scope=\"row\">" + html(name) + "</th><td" + kind + ">" + html(cell) + "</td></tr>\n";
}

/// Words of token ids, each id once, in the order of the ids.
PLATEAU_PROGRAM_INLINE std::map<index, index> numbered(std::vector<double> const& ids) {
    std::map<index, index> numbers;
    for (double const id : ids) numbers.emplace(static_cast<index>(id), 0);
    index next = 0;
    for (auto& [id, number] : numbers) number = next++;
    return numbers;
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE std::string command_text(std::string const& program, std::vector<std::string> const& arguments) {
    std::string text = program;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        auto const& word = arguments[i];
        auto const name = word.substr(0, word.find('='));
        if (changes_nothing(name)) {
            bool const flag = name == "--pin" || name == "--report";
            i += flag || name.size() < word.size() ? 0 : 1;  // its value
            continue;
        }
        bool const plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 ||
                   std::string_view{"_./:,=+@%-"}.find(static_cast<char>(c)) != std::string_view::npos;
        });
        text += plain ? " " : " '";
        for (char const c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
        text += plain ? "" : "'";
    }
    return text;
}

PLATEAU_PROGRAM_INLINE void require_built() {
    if (PLATEAU_REPORT_TEXTS) return;
    throw config_error(
        "--report: this program was built without dygraphs, which draws the curves of report.html; install "
        "the package libjs-dygraphs (Debian), then configure and build again with plateau::program");
}

PLATEAU_PROGRAM_INLINE kept_array const* page::kept(std::string_view name) const {
    auto const at =
        std::find_if(arrays_.begin(), arrays_.end(), [&](auto const& one) { return one.told.name == name; });
    return at == arrays_.end() ? nullptr : &*at;
}

PLATEAU_PROGRAM_INLINE kept_array* page::keep(file told, std::string const& name, std::vector<index> const& shape) {
    auto letters = axes_of(told);
    if (letters.size() > shape.size())  // "n?" is one that may be absent
        std::erase_if(letters, [&](auto const& axis) { return told.holds.find(axis + "?") != std::string::npos; });
    if (letters.size() != shape.size()) return nullptr;
    auto extents = shape;
    told.name = name;
    index most = detail::most_numbers;
    std::string cut = "P";
    if (told.name == "tokens.npy") {
        cut = "N", most = detail::most_tokens;
    } else if (told.name == "labels.npy" && detail::ends_with_axes(letters, {"3", "G", "G"})) {
        cut = "n", most = detail::most_labels;
        if (letters.size() == 3) letters.insert(letters.begin(), cut), extents.insert(extents.begin(), 1);
    }
    auto const at = std::find(letters.begin(), letters.end(), cut);
    if (at == letters.end()) return nullptr;
    auto const after = letters.end() - at - 1;
    if (cut == "P" && after > 1 && !told.name.starts_with("top_")) return nullptr;
    // what is shown first, and what tells of a pair, finds room whatever came before
    bool const first = after == 0 || name == "relative.npy" || name == "slope.npy" || name == "pairs.npy";
    if (cut == "P" && !first) {
        index held = 0;
        for (auto const& one : arrays_) held += one.axes[one.cut] == "P" ? std::ssize(one.values) : 0;
        most = std::clamp<index>(detail::most_in_all - held, 0, most);
    }
    arrays_.emplace_back(told, letters, extents, static_cast<std::size_t>(at - letters.begin()), most);
    auto& one = arrays_.back();
    if (cut == "N") one.kept = std::min(one.kept, detail::most_prompts);
    if (cut == "N" && !one.whole()) leave_out("texts of prompts but the first " + std::to_string(one.kept));
    if (cut == "P" && after > 0 && !one.whole())
        leave_out("of " + told.name + " the first " + std::to_string(one.kept) + " of " + std::to_string(one.of()) +
                  " pairs are here");
    return &one;
}

PLATEAU_PROGRAM_INLINE void page::add_picture(file const& told, std::string const& name, std::string_view bytes) {
    if (picture_bytes_ + bytes.size() > detail::most_picture_bytes)
        return leave_out("the picture " + name + " (" + std::to_string(bytes.size()) + " bytes)");
    picture_bytes_ += bytes.size();
    auto const* const type = name.ends_with(".apng") ? "image/apng" : "image/png";
    pictures_.push_back({name, told.what, data_uri(type, bytes)});
}

PLATEAU_PROGRAM_INLINE std::string page::prompt_of(index number) const {
    auto const* const tokens = kept("tokens.npy");
    if (tokens == nullptr || number >= tokens->kept || !tokens->has(number)) return "";
    std::vector<token_id> prompt;
    for (index t = 0; t < tokens->each && tokens->at(0, number)[t] >= 0; ++t)
        prompt.push_back(static_cast<token_id>(tokens->at(0, number)[t]));
    try {
        return shortened(models::prompt_text(texts, prompt), detail::prompt_length);
    } catch (error const&) {  // ids that the tokenizer does not have
        return shortened(models::prompt_text({}, prompt), detail::prompt_length);
    }
}

PLATEAU_PROGRAM_INLINE std::string page::tops_json() const {
    auto const* const ids = kept("top_tokens.npy");
    auto const* const logs = kept("top_log_probs.npy");
    if (ids == nullptr || ids->kept < 1 || ids->axes.size() != 3) return "null";
    auto const numbers = detail::numbered(ids->values);
    auto const word = [&](auto const& one) {
        return json(models::token_text(texts, static_cast<token_id>(one.first)));
    };
    return "{\"words\":" + detail::list(numbers, word) + ",\"each\":" + std::to_string(ids->shape[2]) + ",\"ids\":" +
           detail::list(ids->values, [&](double id) { return std::to_string(numbers.at(static_cast<index>(id))); }) +
           ",\"logs\":" + (logs == nullptr ? "null" : detail::list(logs->values, [](double x) { return json(x, 4); })) +
           "}";
}

PLATEAU_PROGRAM_INLINE std::string page::pairs_json() const {
    auto const number = [](double x) { return json(x, detail::digits); };
    auto const text = [](std::string const& x) { return json(x); };
    std::string curves, numbers, places;
    std::set<index> prompts;
    index most_pairs = 0;  // of which there is a curve
    for (auto const& one : arrays_) {
        if (one.axes[one.cut] != "P" || one.kept < 1 || one.values.empty()) continue;
        bool const whole = one.told.holds.starts_with("int");
        bool const curve = !whole && one.cut + 2 == one.axes.size() && places_.contains(one.axes.back());
        if (!curve && (one.cut + 1 != one.axes.size() || whole)) continue;
        std::string lead = "null";
        if (one.cut > 0) {
            std::vector<std::string> names;
            auto const told = names_.find(one.axes[0]);
            for (index i = 0; i < one.lead; ++i) {
                bool const named = one.cut == 1 && told != names_.end();
                names.push_back(named ? told->second[static_cast<std::size_t>(i)] : std::to_string(i));
            }
            lead = detail::list(names, text);
        }
        auto& to = curve ? curves : numbers;
        to += std::string(to.empty() ? "" : ",\n") + "{\"name\":" + json(one.told.name) +
              ",\"what\":" + json(one.told.what) + ",\"axis\":" + json(one.cut > 0 ? one.axes[0] : "") +
              ",\"lead\":" + lead + ",\"kept\":" + std::to_string(one.kept) + ",\"of\":" + std::to_string(one.of()) +
              ",\"values\":" + detail::list(one.values, number) + "}";
        if (curve) most_pairs = std::max(most_pairs, one.kept);
        if (curve) places = detail::list(places_.at(one.axes.back()), number);
    }
    if (curves.empty()) return "";
    std::string pairs = "[]";
    if (auto const* const told = kept("pairs.npy"); told != nullptr && told->each == 2) {
        auto const count = static_cast<std::size_t>(2 * std::min(told->kept, most_pairs));
        std::span const shown{told->values.data(), count};
        pairs = detail::list(shown, [](double x) { return std::to_string(static_cast<index>(x)); });
        for (double const one : shown) prompts.insert(static_cast<index>(one));
    }
    std::string words;
    for (index const one : prompts) {
        if (auto const prompt = prompt_of(one); !prompt.empty())
            words += (words.empty() ? "" : ",") + json(std::to_string(one)) + ":" + json(prompt);
    }
    return "{\"places\":" + places + ",\n\"curves\":[" + curves + "],\n\"numbers\":[" + numbers +
           "],\n\"pairs\":" + pairs + ",\n\"prompts\":{" + words + "},\n\"tops\":" + tops_json() + "}";
}

PLATEAU_PROGRAM_INLINE std::string page::touch_html() const {
    auto parts = parts_;
    if (auto pairs = pairs_json(); !pairs.empty()) parts.push_back({"pairs", "Pair by pair", std::move(pairs)});
    if (parts.empty()) return "";
    std::string text =
        "<section class=\"touch\" id=\"touch\">\n<h2>Explore</h2>\n<noscript><p>Without JavaScript the "
        "pictures below show the same.</p></noscript>\n";
    bool curves = false;
    for (auto const& one : parts) {
        curves = curves || one.kind != "slices";
        text += "<h3>" + html(one.title) + "</h3>\n<div class=\"part\" data-kind=\"" + html(one.kind) +
                "\"><script type=\"application/json\">" + one.data + "</script></div>\n";
    }
    text += "</section>\n";
#if PLATEAU_REPORT_TEXTS
    if (curves) {
        text += "<style>" + joined(embedded::dygraphs_css) + "</style>\n<script>" + joined(embedded::dygraphs_js) +
                "</script>\n";
    }
    text += "<script>\n'use strict';\n{\n" + joined(embedded::page_js) + "}\n</script>\n";
    if (curves) {
        text +=
            "<details class=\"licence\"><summary>Licence of dygraphs, which draws the curves to touch</summary>"
            "<pre>" +
            html(joined(embedded::dygraphs_licence)) + "</pre></details>\n";
    }
#endif
    return text;
}

PLATEAU_PROGRAM_INLINE std::string page::pictures_html() const {
    std::string text;
    for (auto const& one : pictures_) {
        text += "<figure><img alt=\"" + html(one.name + ": " + one.what) + "\" src=\"" + one.uri +
                "\"><figcaption><b>" + html(one.name) + "</b> " + html(one.what) + "</figcaption></figure>\n";
    }
    if (text.empty()) return "";
    return "<section id=\"pictures\">\n<h2>Pictures</h2>\n" + text + "</section>\n";
}

PLATEAU_PROGRAM_INLINE std::string page::prompts_html() const {
    auto const* const tokens = kept("tokens.npy");
    if (tokens == nullptr || tokens->kept < 1) return "";
    auto const shown = std::min(tokens->kept, detail::most_listed);
    std::string text;
    for (index i = 0; i < shown; ++i) text += "<li>" + html(prompt_of(i)) + "</li>\n";
    return "<details><summary>Prompts: " + std::to_string(tokens->of()) +
           (shown < tokens->of() ? ", the first " + std::to_string(shown) + " here" : "") +
           "</summary><ol start=\"0\">\n" + text + "</ol></details>\n";
}

PLATEAU_PROGRAM_INLINE std::string page::render(nlohmann::ordered_json const& summary, manifest const& leaves,
                                                std::set<std::string> const& written) const {
    auto const handler = nlohmann::ordered_json::error_handler_t::replace;
    nlohmann::ordered_json lasting;
    for (auto const& [key, value] : summary.items()) {
        if (!detail::is_of_the_run(key)) lasting[key] = value;
    }
    auto const plain = [&](nlohmann::ordered_json const& value) -> std::string {
        auto const one = [&](nlohmann::ordered_json const& x) {
            return x.is_string() ? x.get<std::string>() : x.dump(-1, ' ', false, handler);
        };
        if (!value.is_array()) return one(value);
        std::string lines;
        for (auto const& x : value) lines += (lines.empty() ? "" : "\n") + one(x);
        return lines;
    };
    auto const program = plain(lasting["program"]);
    std::string text =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n";
    text += "<title>" + html(program + ": " + heading.substr(0, heading.find('\n'))) + "</title>\n";
#if PLATEAU_REPORT_TEXTS
    text += "<style>\n" + joined(embedded::page_css) + "</style>\n";
#endif
    text += std::string("</head>\n<body") + (pictures_.empty() ? " class=\"undrawn\"" : "") +
            ">\n<main>\n<header>\n<h1>" + html(program) + "</h1>\n<p class=\"about\">" + html(about) +
            "</p>\n<p class=\"heading\">" + html(heading) + "</p>\n</header>\n<section id=\"tables\">\n" +
            printed_html(printed) + "</section>\n";
    text += touch_html() + pictures_html();

    std::string provenance, given;
    for (auto const& [key, value] : lasting.items()) {
        if (key == "rope") break;  // keys of all programs come first, and after rope those of the arithmetic
        provenance += detail::row(key, plain(value));
    }
    for (auto const* key : {"dtype", "backend", "instruction_set", "device", "float_products", "seed"}) {
        if (lasting.contains(key)) provenance += detail::row(key, plain(lasting[key]));
    }
    for (auto const& one : options) {
        if (!changes_nothing(one.name))
            given += detail::row(one.name, one.value, one.given ? "" : " class=\"default\"");
    }
    std::string files =
        "<tr><th scope=\"row\">summary.json</th><td>one object</td><td>what a program reads of all this"
        "</td></tr>\n";
    for (auto const& name : written) {
        auto const told = std::find_if(leaves.files.begin(), leaves.files.end(),
                                       [&](file const& one) { return has_name(one, name); });
        if (told == leaves.files.end() || name == page_file.name) continue;
        files += "<tr><th scope=\"row\">" + html(name) + "</th><td>" + html(told->holds) + "</td><td>" +
                 html(told->what) + "</td></tr>\n";
    }
    text +=
        "<section id=\"provenance\">\n<h2>How it was made</h2>\n<pre class=\"command\">" + html(command) +
        "</pre>\n<p class=\"note\">Options that change no result are left out: threads, memory, where files go.</p>\n"
        "<div class=\"wide\"><table class=\"pairs\"><tbody>\n" +
        provenance +
        "</tbody></table></div>\n<details open><summary>Options</summary><p class=\"note\">Grey: not given, the "
        "default.</p><div class=\"wide\"><table class=\"pairs\"><tbody>\n" +
        given + "</tbody></table></div></details>\n" + prompts_html() +
        "<details><summary>Files beside this one</summary><p class=\"note\">" + html(leaves.axes) +
        "</p><div class=\"wide\"><table><tbody>\n" + files +
        "</tbody></table></div></details>\n<details><summary>summary.json, without times</summary><pre>" +
        html(lasting.dump(1, ' ', false, handler)) + "</pre></details>\n";
    if (!left_out_.empty()) {
        text += "<h3>Left out of this page for its size</h3>\n<ul class=\"left-out\">\n";
        for (auto const& one : left_out_) text += "<li>" + html(one) + "</li>\n";
        text += "</ul>\n";
    }
    return text + "</section>\n</main>\n</body>\n</html>\n";
}

}  // namespace plateau::program::report
