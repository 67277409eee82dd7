// --report of every study: a page that nests, asks for nothing and is the same for any number of threads.

#include <cstdint>

#include "programs/run.hpp"
#include "programs/two_checkpoints.hpp"
#include "support/html.hpp"

namespace {

using namespace programs;
using plateau::index;
using plateau::testing::asks_for_more;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::data_of;
using plateau::testing::fault_of_html;
using plateau::testing::scratch_dir;

/// Two checkpoints, and two prompts for those that take a pair; one program needs the embedded model's.
struct random_models : two_checkpoints {
    random_models() {
        prompts.resize(2);
        two = write_tokens(dir / "two.npy", prompts);
    }
    words with(std::string const& program, words const& more, std::string const& out = "out") const {
        words all{"--report", "--out", (dir / out).string()};
        auto const add = [&](words const& some) { all.insert(all.end(), some.begin(), some.end()); };
        if (program != "similar_dissimilar") add({"--tokens", program == "activation_patching" ? two : tokens});
        bool const several = std::find(more.begin(), more.end(), "--checkpoints") != more.end();
        if (program != "similar_dissimilar" && !several) add({"--model", (dir / "step-8").string()});
        add(more);
        return all;
    }
    std::string both() const { return (dir / "step-8").string() + "," + (dir / "step-32").string(); }
    std::string page(std::string const& out = "out") const { return bytes_of(dir / out / "report.html"); }

    std::string two;
};

/// Whether the programs were built with what a page is made of; says so where not.
bool have_pages() {
    scratch_dir const dir;
    auto const result =
        run("generate", {"--prompt", "a", "--max-new-tokens", "1", "--report", "--out", (dir / "out").string()});
    if (result.status == 0) return true;
    CHECK_THAT(result.err, contains("install the package libjs-dygraphs"));
    CHECK(names_in(dir.path()).empty());
    WARN("skipped: the programs were built without dygraphs");
    return false;
}

TEST_CASE("--report of every study leaves a page that nests, asks for nothing, and tells the run",
          "[programs][report]") {
    if (!have_pages()) return;
    random_models const given;
    words const few{"--steps", "5", "--resamples", "20"};
    std::vector<std::pair<std::string, words>> const studies{
        {"stable_regions", {"--steps", "5", "--kl", "--top-k", "2"}},
        {"slice_2d", {"--grid", "5", "--labels", "--boundary"}},
        {"emergence", {"--checkpoints", given.both(), "--steps", "5", "--resamples", "20"}},
        {"genealogy", {"--checkpoints", given.both(), "--contexts", "2,5", "--steps", "5", "--resamples", "20"}},
        {"derivatives", {"--steps", "5", "--frozen", "attn_out"}},
        {"depth", few},
        {"similar_dissimilar", few},
        {"region_count", few},
        {"predict_jump", few},
        {"energy", {"--pairs", "disjoint", "--steps", "5", "--resamples", "20", "--curves", "--permutations", "19"}},
        {"polytopes", {"--steps", "5"}},
        {"blow_up", {"--steps", "6", "--resamples", "20", "--shrinkage", "oas"}},
        {"sensitive_directions", {"--lengths", "0.5,1", "--resamples", "20", "--shrinkage", "0.1"}},
        {"superellipse", {"--grid", "7", "--anchors", "4", "--resamples", "20"}},
        {"activation_patching", {}},
        {"evaluate", {}},
        {"generate", {"--max-new-tokens", "3"}}};
    std::set<std::string> const without_parts{"superellipse", "activation_patching", "evaluate", "generate"};
    for (auto const& [program, more] : studies) {
        CAPTURE(program);
        auto const ran = succeed(program, given.with(program, more));
        auto const page = given.page();
        REQUIRE_FALSE(page.empty());
        CHECK(fault_of_html(page) == "");
        CHECK_FALSE(asks_for_more(page));
        CHECK_THAT(page, contains("<h1>" + program + "</h1>"));
        CHECK_THAT(page, contains("default-src 'none'"));
        CHECK_THAT(page, contains(json_of(given.dir / "out/summary.json").at("weights_sha256").get<std::string>()));
        CHECK(page.find("per second") == std::string::npos);
        CHECK(page.find("per_second") == std::string::npos);
        CHECK((program == "generate" || page.find("<td") != std::string::npos));
        if (program != "genealogy") CHECK(data_of(page).empty() == (without_parts.count(program) == 1));
        for (auto const& data : data_of(page)) CHECK(nlohmann::json::accept(data));
        for (auto const& name : names_in(given.dir / "out")) {
            if (!name.ends_with("png") || name == "slices.apng") continue;
            CHECK_THAT(page, contains("<img alt=\"" + name + ": "));
        }
        CHECK(plateau::testing::attributes_of(page, "alt").size() ==
              plateau::testing::attributes_of(page, "src").size());
        std::filesystem::remove_all(given.dir / "out");
    }
}

TEST_CASE("a page is the same bytes for any number of threads, and goes with a run without it", "[programs][report]") {
    if (!have_pages()) return;
    random_models const given;
    for (auto const& [program, more] :
         {std::pair<std::string, words>{"stable_regions", {"--steps", "7", "--top-k", "1"}},
          {"slice_2d", {"--grid", "6", "--labels"}},
          {"emergence", {"--checkpoints", given.both(), "--steps", "5", "--resamples", "20"}}}) {
        CAPTURE(program);
        auto threads = [&, more = more, program = program](std::string const& number) {
            auto all = more;
            all.insert(all.end(), {"--threads", number});
            succeed(program, given.with(program, all, number));
        };
        threads("1"), threads("3");
        check_same_files(given.dir / "1", given.dir / "3");
        CHECK(names_in(given.dir / "1").count("report.html") == 1);
        auto without = given.with(program, more, "1");
        without.erase(without.begin());
        succeed(program, without);
        CHECK(names_in(given.dir / "1").count("report.html") == 0);
        for (auto const* out : {"1", "3"}) std::filesystem::remove_all(given.dir / out);
    }
}

TEST_CASE("tokens with markup in them are text on a page", "[programs][report]") {
    if (!have_pages()) return;
    scratch_dir const dir;
    auto const model = write_text_model(dir / "model");
    auto const prompts = dir.write("prompts.txt", "a </script><b> \"x\" & 'y'\n<!-- é 🙂 -->\nthree\n").string();
    succeed("slice_2d", {"--model", model, "--prompts", prompts, "--grid", "3", "--labels", "--report", "--out",
                         (dir / "out").string()});
    auto const page = bytes_of(dir / "out/report.html");
    CHECK(fault_of_html(page) == "");
    REQUIRE(data_of(page).size() == 1);
    auto const anchors = nlohmann::json::parse(data_of(page)[0]).at("anchors");
    CHECK_THAT(anchors[0].get<std::string>(), contains("</script><b>"));
    CHECK_THAT(anchors[1].get<std::string>(), contains("é 🙂"));
}

TEST_CASE("--report without a folder is wrong usage, and --help tells of it", "[programs][report][usage]") {
    random_models const given;
    fail(2, "evaluate", {"--model", (given.dir / "step-8").string(), "--tokens", given.tokens, "--report"},
         "needs --out");
    for (auto const* program : {"stable_regions", "evaluate", "activation_patching"}) {
        auto const help = succeed(program, {"--help"}).out;
        CHECK_THAT(help, contains("--report"));
        CHECK_THAT(help, contains("report.html"));
    }
}

}  // namespace
