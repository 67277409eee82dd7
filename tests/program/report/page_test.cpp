#include <plateau/program/report/page.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <locale>
#include <string>
#include <vector>

#include <plateau/core/table.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/program/report/embedded.hpp>
#include <plateau/program/report/printed.hpp>
#include <plateau/program/report/slices.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/html.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using namespace plateau::program;
namespace report = plateau::program::report;
using plateau::index;
using value = nlohmann::json;

/// What may come as a token, a path or a title.
std::vector<std::string> const nasty{"</script><script>alert(1)</script>",          "<!-- <script",
                                     "\"quotes\" & 'others' \\ / \x01\x1f\x7f\t\n", "é ␣ 語 🙂 \u2028 \u2029",
                                     "\xff\xc3 half of a letter \xe2\x82",          std::string("zero \0 byte", 11)};

TEST_CASE("texts are spelled so that HTML and JSON read them back", "[program][report]") {
    CHECK(report::html("a < b & \"c\" > 'd'") == "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;");
    CHECK(report::html("é\xff\n\x01") == "é\uFFFD\n ");
    for (auto const& text : nasty) {
        CAPTURE(text);
        CHECK(fault_of_html("<html><p title=\"" + report::html(text) + "\">" + report::html(text) + "</p></html>")
                  .empty());
        auto const json = report::json(text);
        CHECK(json.find_first_of("<>&") == std::string::npos);
        CHECK(json.find("\u2028") == std::string::npos);
        auto const back = value::parse(json).get<std::string>();
        bool const whole = text.find('\xff') == std::string::npos;
        if (whole) CHECK(back == text);
        else CHECK(back == "\uFFFD\uFFFD half of a letter \uFFFD\uFFFD");
    }
}

TEST_CASE("numbers have the digits asked for, no more than they need, in every locale", "[program][report]") {
    struct commas : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    auto const before = std::locale::global(std::locale(std::locale::classic(), new commas));
    CHECK(report::json(0.1, 5) == "0.1");
    CHECK(report::json(1.0 / 3, 5) == "0.33333");
    CHECK(report::json(1234567.0, 5) == "1.2346e+06");
    CHECK(report::json(50257, 17) == "50257");
    CHECK(report::json(-0.25, 5) == "-0.25");
    CHECK(report::json(1e-300, 5) == "1e-300");
    for (double const none : std::vector<double>{std::nan(""), INFINITY, -INFINITY})
        CHECK(report::json(none, 5) == "null");
    CHECK(report::json(std::vector{0.5, std::nan("")}) == "[0.5,null]");
    std::locale::global(before);
}

TEST_CASE("base 64 is that of RFC 4648", "[program][report]") {
    for (auto const& [text, code] : {std::pair{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"},
                                     {"\xff\xfe", "//4="}})
        CHECK(report::base64(text) == code);
    CHECK(report::data_uri("image/png", "foo") == "data:image/png;base64,Zm9v");
}

TEST_CASE("a long prompt keeps its beginning and its end, in whole letters", "[program][report]") {
    CHECK(report::shortened("short", 5) == "short");
    std::string text;
    for (int i = 0; i < 100; ++i) text += "語é";
    for (std::size_t most = 20; most < 40; ++most) {
        auto const cut = report::shortened(text, most);
        CHECK(cut.size() <= most + std::string(" … ").size());
        CHECK(cut.starts_with("語"));
        CHECK(cut.ends_with("é"));
        CHECK(report::html(cut).find("\uFFFD") == std::string::npos);
    }
}

TEST_CASE("tables that programs print are tables of a page, and nothing else is", "[program][report]") {
    plateau::table table{{"", "max slope", "where"}};
    table.row({"größte", "3.92", "“a  b”"})
        .row({"nan one", "nan", ""})
        .row({"with interval", "4.93 [4.35, 5.49]", "<b>"});
    auto const text =
        report::printed_html("a remark\n" + table.render() + "3 degenerate pairs are left out\n\n  └─ tree\n");
    CAPTURE(text);
    CHECK(fault_of_html("<html>" + text + "</html>").empty());
    CHECK_THAT(text, contains("<p class=\"remark\">a remark\n</p>"));
    CHECK_THAT(text, contains("<th scope=\"col\"></th><th scope=\"col\" class=\"number\">max slope</th>"));
    CHECK_THAT(text, contains("<th scope=\"row\">größte</th><td class=\"number\">3.92</td><td>“a  b”</td>"));
    CHECK_THAT(text, contains("<td class=\"number\">nan</td><td></td>"));
    CHECK_THAT(text, contains("<td class=\"number\">4.93 [4.35, 5.49]</td><td>&lt;b&gt;</td>"));
    CHECK_THAT(text, contains("<p class=\"remark\">3 degenerate pairs are left out\n</p>"));
    CHECK_THAT(text, contains("<pre>  └─ tree\n</pre>"));
    CHECK(report::printed_html("no table\n---------\n").find("<table") != std::string::npos);
    CHECK(report::printed_html("longer than its line\n---\n").find("<table") == std::string::npos);
    plateau::table alone{{"name"}};
    auto const one = report::printed_html(alone.row({"x"}).render());
    CHECK_THAT(one, contains("<th scope=\"row\">x</th></tr>"));
    auto const two = report::printed_html(alone.render() + '\n' + table.render());
    CHECK(two.find("<table") != two.rfind("<table"));
}

TEST_CASE("a command is told as a shell takes it, without what changes no result", "[program][report]") {
    CHECK(report::command_text("mine", {"--model", "a b", "--threads", "4", "--out=there", "--report", "--steps",
                                        "5"}) == "mine --model 'a b' --steps 5");
    CHECK(report::command_text("mine", {"--pin", "--prompt", "it's $HOME", "--threads=2", "--journal", "j", "--dtype",
                                        "fp64"}) == "mine --prompt 'it'\\''s $HOME' --dtype fp64");
    CHECK(report::command_text("mine", {"--memory"}) == "mine");
    CHECK(report::command_text("mine", {""}) == "mine ''");
}

TEST_CASE("of an array as many pairs are kept as there is room for", "[program][report]") {
    report::kept_array some{{"a.npy", "float64 [C,P,S]", ""}, {"C", "P", "S"}, {2, 5, 3}, 1, 2 * 3 * 3 + 1};
    for (int i = 0; i < 30; ++i) some.add(i);
    CHECK(some.kept == 3);
    CHECK_FALSE(some.whole());
    CHECK(some.values.size() == 18);
    CHECK(some.at(0, 2)[1] == 7);
    CHECK(some.at(1, 0)[0] == 15);
    CHECK(some.at(1, 2)[2] == 23);
}

manifest const leaves{.axes = "C steps, P pairs, S points, N prompts, T tokens",
                      .files = {{"relative.npy", "float64 [C,P,S]", "d(α)/d(1) <i>"},
                                {"max_slope.npy", "float64 [C,P]", "slope"},
                                {"pairs.npy", "int64 [P,2]", "who"},
                                {"tokens.npy", "int64 [N,T]", "ids"},
                                {"wide.npy", "float64 [P,S,T]", "of no use to a page", "--wide"},
                                {"a.png", "", "two curves"},
                                report::page_file},
                      .summary = "pairs"};

#if PLATEAU_REPORT_TEXTS
/// A run of 2 steps, 3 pairs, 4 points.
std::string page_of(std::filesystem::path const& folder, std::string const& title, int threads) {
    outputs out{leaves, folder};
    out.begin_page();
    out.axis("P", 3), out.axis("N", 4), out.axis("T", 2);
    out.axis("S", std::vector{0.0, 1. / 3, 2. / 3, 1.0});
    out.axis("C", std::vector<std::string>{"step 1", "step </script>"});
    std::vector<double> relative, wide(24, 1.0);
    for (int i = 0; i < 24; ++i) relative.push_back(i == 5 ? std::nan("") : i / 7.0);
    out.array("relative.npy", relative);
    out.array("max_slope.npy", std::vector<double>{1, 2, 3, 4, 5, INFINITY});
    out.array("pairs.npy", std::vector<index>{0, 1, 1, 2, 2, 3});
    out.array("tokens.npy", std::vector<index>{7, 8, 9, -1, 3, 4, 5, 6});
    out.array("wide.npy", wide);
    plateau::viz::labelled_figure figure{.title = title, .panels = {{title, {"x", true}, {"y"}, {}, {{1}}}}};
    figure.panels[0].curves.push_back(
        {.label = title, .x = {1, 2, 4}, .y = {1, std::nan(""), 3}, .low = {0, 1, 2}, .high = {2, 3, 4}});
    draw(out, "a.png", figure);
    out.page()->about = "about " + title;
    out.page()->heading = title;
    out.page()->printed = "a  b\n-  -\n1  2\n";
    out.page()->command = "mine " + title;
    out.page()->options = {
        {"--steps", "4", true}, {"--threads", std::to_string(threads), true}, {"--dtype", "fp32", false}};
    out.publish({{"program", "mine"},
                 {"version", "1.2"},
                 {"model", title},
                 {"weights_sha256", "abc"},
                 {"rope", nullptr},
                 {"seconds", 0.1 * threads},
                 {"points_per_second", 3.0 / threads},
                 {"threads", threads},
                 {"peak_memory", threads}},
                {{"pairs", 3}});
    return bytes_of(folder / "report.html");
}

TEST_CASE("a page nests, asks for nothing, and has the data of its run", "[program][report]") {
    scratch_dir const dir;
    for (auto const& title : nasty) {
        auto const page = page_of(dir.path(), title, 1);
        CAPTURE(title);
        CHECK(fault_of_html(page) == "");
        CHECK_FALSE(asks_for_more(page));
        CHECK_THAT(page, contains("default-src 'none'"));
        CHECK(page.find("alert(1)</script>") == std::string::npos);
        auto const alts = attributes_of(page, "alt");
        CHECK(alts == std::vector<std::string>(plateau::viz::can_draw ? 1 : 0, "a.png: two curves"));
        auto const data = data_of(page);
        REQUIRE(data.size() == 2);
        auto const charts = value::parse(data[0]), pairs = value::parse(data[1]);
        auto const& curve = charts["panels"][0]["curves"][0];
        CHECK(curve["y"] == value{1, nullptr, 3});
        CHECK(curve["high"] == value{2, 3, 4});
        CHECK(charts["panels"][0]["x"]["log"] == true);
        CHECK(pairs["places"] == value{0, 0.33333, 0.66667, 1});
        REQUIRE(pairs["curves"].size() == 1);
        CHECK(pairs["curves"][0]["lead"] == value{"step 1", "step </script>"});
        CHECK(pairs["curves"][0]["kept"] == 3);
        CHECK(pairs["curves"][0]["values"].size() == 24);
        CHECK(pairs["curves"][0]["values"][5].is_null());
        CHECK(pairs["curves"][0]["values"][23] == 3.2857);
        CHECK(pairs["numbers"][0]["values"] == value{1, 2, 3, 4, 5, nullptr});
        CHECK(pairs["pairs"] == value{0, 1, 1, 2, 2, 3});
        CHECK(pairs["prompts"] == value{{"0", "7 8 "}, {"1", "9 "}, {"2", "3 4 "}, {"3", "5 6 "}});
    }
    CHECK_THAT(page_of(dir.path(), "t", 1), contains("<th scope=\"row\">weights_sha256</th><td>abc</td>"));
}

TEST_CASE("a page has no times and nothing of threads, and goes with a run that has none", "[program][report]") {
    scratch_dir const one, two;
    CHECK(page_of(one.path(), "t", 1) == page_of(two.path(), "t", 7));
    CHECK(std::filesystem::exists(one / "report.html"));
    outputs out{leaves, one.path()};
    CHECK(out.page() == nullptr);
    out.axis("P", 1), out.axis("N", 1), out.axis("T", 1), out.axis("C", 1), out.axis("S", 1);
    for (auto const* name : {"relative.npy", "max_slope.npy"}) out.array(name, std::vector<double>{1});
    out.array("pairs.npy", std::vector<index>{0, 0});
    out.array("tokens.npy", std::vector<index>{0});
    out.picture("a.png", [](std::ostream& to) { to << "picture"; });
    out.publish({}, {});
    CHECK_FALSE(std::filesystem::exists(one / "report.html"));
}

TEST_CASE("what is too much for a page is told on it", "[program][report]") {
    report::page page;
    auto* const kept = page.keep({"relative.npy", "float64 [P,S]", "d"}, "relative.npy", {1'000'000, 50});
    REQUIRE(kept != nullptr);
    CHECK(kept->kept == 2000);
    for (int k = 0; k < 8; ++k) {
        auto* const more = page.keep({"kl.npy", "float64 [P,S]", ""}, "kl.npy", {5000, 50});
        CHECK(more->kept == (k < 6 ? 2000 : 0));
        for (int i = 0; i < 250'000; ++i) more->add(i);
    }
    CHECK(page.keep({"slope.npy", "float64 [P,S]", ""}, "slope.npy", {5000, 50})->kept == 2000);
    CHECK(page.keep({"tokens.npy", "int64 [N,T]", ""}, "tokens.npy", {9000, 4})->kept == 4000);
    CHECK(page.keep({"jvp.npy", "float [P,S,W]", ""}, "jvp.npy", {2, 2, 2}) == nullptr);
    CHECK(page.keep({"alpha.npy", "float64 [S]", ""}, "alpha.npy", {2}) == nullptr);
    page.add_picture({"big.png", "", "large"}, "big.png", std::string((24u << 20) + 1, 'x'));
    auto const text = page.render({{"program", "mine"}}, leaves, {});
    CHECK_THAT(text, contains("<li>of relative.npy the first 2000 of 1000000 pairs are here</li>"));
    CHECK_THAT(text, contains("<li>the picture big.png ("));

    CHECK(fault_of_html(text) == "");
}

TEST_CASE("slices are kept as parts of their largest distance, labels by number", "[program][report]") {
    report::page page;
    auto* const labels = page.keep({"labels.npy", "int64 [n?,3,G,G]", ""}, "labels.npy", {3, 2, 2});
    REQUIRE(labels != nullptr);
    for (int const id : {5, 5, 9, 9, 5, 5, 5, 5, 100, 9, 9, 5}) labels->add(id);
    std::vector<double> const u{0, 1};
    std::vector<double> const map{0, 1, std::nan(""), 4};
    plateau::tensor::view<double const, 2> const one{map.data(), {2, 2}};
    plateau::viz::slice_figure const figure{
        .anchors = {"a", "</script>", ""}, .grid = {u, u}, .panels = {{"title", {one, one, one}, {{"A", 0, 0.5}}}}};
    auto const json = value::parse(report::json(page, figure));
    CHECK(json["words"] == value{"5", "9", "100"});
    CHECK(json["anchors"][1] == "</script>");
    auto const& panel = json["panels"][0];
    CHECK(panel["largest"] == value{4, 4, 4});
    CHECK(panel["maps"][0] == report::base64(std::string("\0\0\x00\x40\xff\xff\xfe\xff", 8)));  // 0, 1/4, none, 1
    CHECK(panel["labels"][2] == report::base64(std::string("\2\0\1\0\1\0\0\0", 8)));
    CHECK(panel["marks"][0] == value{{"name", "A"}, {"u", 0}, {"v", 0.5}});
}

TEST_CASE("the texts of a page are those of the source, and no end of a script is in them", "[program][report]") {
    auto const source = std::filesystem::path(baked::tests).parent_path() / "include/plateau/program/report";
    std::string scripts;
    for (auto const* name : {"common", "charts", "pairs", "slices", "page"})
        scripts += bytes_of(source / (name + std::string(".js")));
    CHECK(report::joined(report::embedded::page_js) == scripts);
    CHECK(report::joined(report::embedded::page_css) == bytes_of(source / "page.css"));
    auto const library = report::joined(report::embedded::dygraphs_js);
    CHECK(library.size() > 100'000);
    CHECK(library.find("</script") == std::string::npos);
    CHECK(library.find("sourceMappingURL") == std::string::npos);
    CHECK_THAT(report::joined(report::embedded::dygraphs_licence), contains("Permission is hereby granted"));
}
#else
TEST_CASE("without dygraphs there is no page, and the package is named", "[program][report]") {
    scratch_dir const dir;
    outputs out{leaves, dir.path()};
    CHECK_THAT(message_of<plateau::config_error>([&] { out.begin_page(); }), contains("libjs-dygraphs"));
}
#endif

}  // namespace
