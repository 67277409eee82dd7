#include <plateau/io/json.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/io/json_reader.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::testing;
using namespace plateau::io;
using plateau::config_error;
using plateau::file_error;

namespace {

std::string complaint(std::string const& text) {
    return message_of<file_error>([&] { parse_json(text, "here.json"); });
}

/// The value of a key.
template <class T>
T at(json const& object, std::string_view key) {
    return value_of<T>(*find_member(object, key));
}

/// Brackets and keys, with # for what is no container.
std::string shape_of(json const& value) {
    if (!value.is_object() && !value.is_array()) return "#";
    std::string text = value.is_object() ? "{" : "[";
    for (json const& child : value.is_object() ? members_of(value) : elements_of(value)) {
        if (value.is_object()) text.append(child.key()) += ":";
        else CHECK(child.key().empty());
        text += shape_of(child);
    }
    return text + (value.is_object() ? "}" : "]");
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON values arrive as written", "[io][json]") {
    auto const document = parse_json(
        R"( {"eps": 1e-05, "n": -3, "big": 18446744073709551615, "s": "é\u0041\ud83d\ude00", "t": true, "z": null,
             "list": [1, [2, {"k": 3}], []], "o": {"list": [[{}]]}, "zero": "a\u0000b"} )",
        "here.json");
    json const& value = document.root();
    CHECK(at<double>(value, "eps") == 1e-5);
    CHECK(at<plateau::index>(value, "n") == -3);
    CHECK(at<std::uint64_t>(value, "big") == UINT64_MAX);
    CHECK(at<double>(value, "big") == 18446744073709551616.0);
    CHECK(at<std::string>(value, "s") == "éA😀");
    CHECK(at<std::string>(value, "zero") == std::string("a\0b", 3));
    CHECK(at<bool>(value, "t"));
    CHECK(find_member(value, "z")->is_null());
    CHECK(find_field(value, "z") == nullptr);
    CHECK(shape_of(*find_member(value, "list")) == "[#[#{k:#}][]]");
    CHECK(shape_of(value) == "{eps:#n:#big:#s:#t:#z:#list:[#[#{k:#}][]]o:{list:[[{}]]}zero:#}");
    CHECK(value.size() == 9);
    CHECK(find_member(value, "list")->size() == 3);
    CHECK(value_of<plateau::index>(parse_json("7", "here.json").root()) == 7);
}

TEST_CASE("a document can move without its values", "[io][json]") {
    for (std::string const text : {R"(["a"])", R"(["a longer text that no string keeps within itself", "b"])"}) {
        auto document = parse_json(text, "here.json");
        std::string_view const before = text_of(*elements_of(document.root()).begin());
        auto const moved = std::move(document);
        CHECK(text_of(*elements_of(moved.root()).begin()).data() == before.data());
        CHECK(text_of(*elements_of(moved.root()).begin()) == before);
    }
}

TEST_CASE("an array of two is a pair", "[io][json]") {
    auto const document = parse_json(R"([["a", [1, 2]], [1], [1, 2, 3], {"a": 1, "b": 2}, 5])", "here.json");
    std::vector<json const*> values;
    for (json const& value : elements_of(document.root())) values.push_back(&value);
    REQUIRE(values.size() == 5);
    auto const [first, second] = pair_of(*values[0]);
    CHECK(text_of(*first) == "a");
    CHECK(second->size() == 2);
    for (std::size_t i = 1; i < 5; ++i) CHECK(pair_of(*values[i]).first == nullptr);
}

TEST_CASE("numbers have the bits of the nearest double", "[io][json]") {
    std::mt19937_64 random{7};
    std::string text = "[0";
    std::vector<double> expected{0};
    auto const add = [&](std::string const& number) {
        text += ", " + number;
        expected.push_back(std::strtod(number.c_str(), nullptr));
    };
    for (int i = 0; i < 20'000; ++i) {
        auto const number = std::bit_cast<double>(random());
        if (!std::isfinite(number)) continue;
        char buffer[64];
        for (auto const* format : {"%.17g", "%.15g", "%.25e", "%.6g"}) {
            std::snprintf(buffer, sizeof buffer, format, number);
            add(buffer);
        }
    }
    for (auto const* number :
         {"-0.0", "4.9e-324", "2.4703282292062328e-324", "1e-320", "1.7976931348623157e308", "9007199254740993",
          "123456789012345678901234567890", "-9223372036854775809", "0.1", "100000000000000000000000"}) {
        add(number);
    }
    auto const document = parse_json(text + "]", "here.json");
    std::size_t i = 0, wrong = 0;
    for (json const& value : elements_of(document.root())) {
        REQUIRE(json_is<double>(value));
        wrong += value_of<double>(value) != expected.at(i++);
    }
    CHECK(i == expected.size());
    CHECK(wrong == 0);
}

TEST_CASE("text that is not JSON is refused with the place", "[io][json]") {
    CHECK_THAT(complaint(""), contains("here.json"));
    CHECK_THAT(complaint("   "), contains("near byte"));
    CHECK_THAT(complaint("{\"a\": 1"), contains("near byte 8"));
    CHECK_THAT(complaint("{\"a\": 1} x"), contains("near byte 10"));
    CHECK_THAT(complaint("{'a': 1}"), contains("near byte 2"));
    for (auto const* word : {"nan", "-NaN", "Inf", "-Inf", "+Infinity", "Infinit", "N", "NaN0", "INFINITY"})
        CHECK_THAT(complaint(std::string("[1, ") + word + "]"), contains("not usable JSON"));
    CHECK_THAT(complaint("// comment\n1"), contains("not usable JSON"));
    CHECK_THAT(complaint("1e999"), contains("overflow"));
    CHECK_THAT(complaint("1e-400"), contains("too small"));
    CHECK_THAT(complaint("[-1" + std::string(400, '0') + "]"), contains("overflow"));
    CHECK_THAT(complaint("\"\\ud800\""), contains("not usable JSON"));
    CHECK_THAT(complaint("[\"a\\udc00\"]"), contains("half of a surrogate pair"));
    CHECK_THAT(complaint("{\"\\udc00\": 1}"), contains("half of a surrogate pair"));
    CHECK_THAT(complaint(std::string("{}\0x", 4)), contains("near byte 3"));
    CHECK_THAT(complaint("[01]"), contains("near byte 3"));
    CHECK_THAT(complaint("[1.]"), contains("not usable JSON"));
    CHECK_THAT(complaint("\"tab\t\""), contains("not usable JSON"));
    CHECK_THAT(complaint(std::string("{\"a\0b\": 1}", 10)), contains("not usable JSON"));
    CHECK(complaint("\"" + std::string(1 << 20, 'x')).size() < 400);
}

TEST_CASE("what Python writes for numbers that are not finite is read, and is no number", "[io][json]") {
    auto const document =
        parse_json(R"({"nan": NaN, "list": [0.0, Infinity, -Infinity], "own": {"__float__": "Infinity"}})", "c.json");
    json const& root = document.root();
    CHECK(std::isnan(value_of<double>(*find_member(root, "nan"))));
    std::vector<std::string> texts;
    for (json const& value : elements_of(*find_member(root, "list"))) texts.push_back(describe(value));
    CHECK(texts == std::vector<std::string>{"the number 0.0", "Infinity", "-Infinity"});
    CHECK_FALSE(find_member(root, "nan")->is_number());
    CHECK_FALSE(find_member(root, "nan")->empty());
    CHECK_THAT(message_of<config_error>([&] { field<double>(root, "nan", "c.json"); }),
               contains("c.json") && contains("\"nan\" must be a number, found NaN"));
    CHECK_THAT(message_of<config_error>([&] { field<double>(root, "own", "c.json"); }),
               contains("\"own\" must be a number, found an object"));
    CHECK_THROWS_AS(field<plateau::index>(root, "nan", "c.json"), config_error);
}

TEST_CASE("text that is not UTF-8 is refused", "[io][json]") {
    for (std::string const bad : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
        CHECK_THAT(complaint("{\"a\": \"" + bad + "\"}"), contains("UTF-8"));
        CHECK_THAT(complaint("{\"" + bad + "\": 1}"), contains("UTF-8"));
    }
}

TEST_CASE("a repeated key is refused at any depth", "[io][json]") {
    CHECK_THAT(complaint(R"({"a": 1, "b": 2, "a": 3})"),
               contains("the key \"a\" occurs twice") && contains("near byte 20"));
    CHECK_THAT(complaint(R"([{"x": {"a": {}, "a": 1}}])"), contains("occurs twice"));
    CHECK_THAT(complaint("{\"a\": 1, \"\\u0061\": 1}"), contains("occurs twice"));
    CHECK(parse_json(R"([{"a": 1}, {"a": {"a": 2}}])", "here.json").root().size() == 2);
    std::string many = "{";
    for (int i = 0; i < 5000; ++i) many += "\"" + std::to_string(i) + "\": 0, ";
    CHECK(parse_json(many + "\"x\": 0}", "here.json").root().size() == 5001);
    CHECK_THAT(complaint(many + "\"17\": 0}"), contains("the key \"17\" occurs twice"));
}

TEST_CASE("nesting has a limit that protects the stack", "[io][json]") {
    CHECK(parse_json(nested(json_depth_limit), "here.json").root().is_array());
    CHECK_THAT(complaint(nested(json_depth_limit + 1)), contains("nested deeper than 128"));
    CHECK_THAT(complaint(nested(200'000)), contains("nested deeper"));
    CHECK_THAT(complaint(std::string(200'000, '[')), contains("nested deeper"));
    std::string objects;
    for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
    CHECK_THAT(complaint(objects), contains("nested deeper"));
}

TEST_CASE("fields are typed", "[io][json]") {
    auto const document = parse_json(
        R"({"i": 5, "f": 10.0, "e": 1e3, "s": "5", "b": true, "n": null, "o": {}, "l": [], "big": 9223372036854775808})",
        "c.json");
    json const& root = document.root();
    std::string const where = "c.json";
    CHECK(field<plateau::index>(root, "i", where) == 5);
    CHECK(field<double>(root, "i", where) == 5.0);
    CHECK(field<double>(root, "e", where) == 1000.0);
    CHECK(field<std::string>(root, "s", where) == "5");
    CHECK(field<bool>(root, "b", where));
    CHECK(object_field(root, "o", where).empty());
    CHECK_FALSE(optional_field<plateau::index>(root, "n", where));
    CHECK_FALSE(optional_field<plateau::index>(root, "absent", where));
    CHECK(field_or<plateau::index>(root, "n", 7, where) == 7);

    CHECK_THAT(message_of<config_error>([&] { field<plateau::index>(root, "absent", where); }),
               contains("c.json") && contains("\"absent\" is missing"));
    CHECK_THAT(message_of<config_error>([&] { field<plateau::index>(root, "s", where); }),
               contains("\"s\" must be an integer, found the string \"5\""));
    CHECK_THROWS_AS(field<plateau::index>(root, "f", where), config_error);
    CHECK_THROWS_AS(field<plateau::index>(root, "b", where), config_error);
    CHECK_THROWS_AS(field<plateau::index>(root, "big", where), config_error);
    CHECK_THROWS_AS(field<bool>(root, "i", where), config_error);
    CHECK_THROWS_AS(field<double>(root, "b", where), config_error);
    CHECK_THROWS_AS(field<std::string>(root, "l", where), config_error);
    CHECK_THROWS_AS(object_field(root, "l", where), config_error);
    CHECK_THROWS_AS((field<plateau::index, file_error>(root, "s", where)), file_error);
}
