#include <plateau/io/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <plateau/core/error.hpp>

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

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON values arrive as written", "[io][json]") {
    json const value = parse_json(
        R"( {"eps": 1e-05, "n": -3, "big": 18446744073709551615, "s": "é\u0041\ud83d\ude00", "t": true, "z": null,
             "list": [1, [2, {"k": 3}], []], "o": {"list": [[{}]]}} )",
        "here.json");
    CHECK(value["eps"].get<double>() == 1e-5);
    CHECK(value["n"] == -3);
    CHECK(value["big"].get<std::uint64_t>() == UINT64_MAX);
    CHECK(value["s"] == "éA😀");
    CHECK(value["t"] == true);
    CHECK(value["z"].is_null());
    CHECK(value["list"].dump() == R"([1,[2,{"k":3}],[]])");
    CHECK(value["o"].dump() == R"({"list":[[{}]]})");
    CHECK(parse_json("7", "here.json") == 7);
}

TEST_CASE("text that is not JSON is refused with the place", "[io][json]") {
    CHECK_THAT(complaint(""), contains("here.json"));
    CHECK_THAT(complaint("   "), contains("near byte"));
    CHECK_THAT(complaint("{\"a\": 1"), contains("near byte 8"));
    CHECK_THAT(complaint("{\"a\": 1} x"), contains("near byte 10"));
    CHECK_THAT(complaint("{'a': 1}"), contains("near byte 2"));
    CHECK_THAT(complaint("[1, NaN]"), contains("not usable JSON"));
    CHECK_THAT(complaint("// comment\n1"), contains("not usable JSON"));
    CHECK_THAT(complaint("1e999"), contains("overflow"));
    CHECK_THAT(complaint("\"\\ud800\""), contains("not usable JSON"));
    CHECK_THAT(complaint(std::string("{\"a\0b\": 1}", 10)), contains("not usable JSON"));
    CHECK(complaint("\"" + std::string(1 << 20, 'x')).size() < 400);
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
    CHECK(parse_json(R"([{"a": 1}, {"a": {"a": 2}}])", "here.json").size() == 2);
}

TEST_CASE("nesting has a limit that protects the stack", "[io][json]") {
    CHECK(parse_json(nested(json_depth_limit), "here.json").is_array());
    CHECK_THAT(complaint(nested(json_depth_limit + 1)), contains("nested deeper than 128"));
    CHECK_THAT(complaint(nested(200'000)), contains("nested deeper"));
    CHECK_THAT(complaint(std::string(200'000, '[')), contains("nested deeper"));
    std::string objects;
    for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
    CHECK_THAT(complaint(objects), contains("nested deeper"));
}

TEST_CASE("fields are typed", "[io][json]") {
    json const root = parse_json(
        R"({"i": 5, "f": 10.0, "e": 1e3, "s": "5", "b": true, "n": null, "o": {}, "l": [], "big": 9223372036854775808})",
        "c.json");
    std::string const where = "c.json";
    CHECK(field<plateau::index>(root, "i", where) == 5);
    CHECK(field<double>(root, "i", where) == 5.0);
    CHECK(field<double>(root, "e", where) == 1000.0);
    CHECK(field<std::string>(root, "s", where) == "5");
    CHECK(field<bool>(root, "b", where));
    CHECK(field<json>(root, "o", where).empty());
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
    CHECK_THROWS_AS(optional_field<json>(root, "l", where), config_error);
    CHECK_THROWS_AS((field<plateau::index, file_error>(root, "s", where)), file_error);
}

TEST_CASE("written JSON keeps order and bits", "[io][json]") {
    ordered_json out;
    out["z"] = 0.1 + 0.2;
    out["a"] = "tab\t";
    out["nan"] = std::numeric_limits<double>::quiet_NaN();
    std::string const text = json_text(out);
    CHECK(text == "{\n  \"z\": 0.30000000000000004,\n  \"a\": \"tab\\t\",\n  \"nan\": null\n}\n");
    CHECK(parse_json(text, "x")["z"].get<double>() == 0.1 + 0.2);
}
