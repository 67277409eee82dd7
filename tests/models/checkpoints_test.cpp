#include <plateau/models/checkpoints.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
namespace models = plateau::models;

TEST_CASE("a checkpoint has the step that its name tells, or the one it is given", "[models][checkpoints]") {
    CHECK(models::checkpoint_at("a/step-000064").step == 64);
    CHECK(models::checkpoint_at("a/step-000064/").name == "step-000064");
    CHECK(models::checkpoint_at("pythia-70m/step512").step == 512);
    CHECK(models::checkpoint_at("a/last", 3).step == 3);
    CHECK(models::checkpoint_at("a/run2-step20").step == 20);
    CHECK(models::checkpoint_at("a/step3-of-7-step12-tokens5B").step == 12);
    CHECK(models::checkpoint_at("a/2024-08-700").step == 700);
    CHECK(models::checkpoint_at("a/512").step == 512);
    for (auto const& [name, step] :
         std::vector<std::pair<std::string, plateau::index>>{{"pythia-70m-step1000", 1000},
                                                             {"step_64", 64},
                                                             {"checkpoint-500", 500},
                                                             {"step3000-tokens12B", 3000},
                                                             {"global_step12", 12},
                                                             {"stage2-step71-tokens3TB", 71},
                                                             {"OLMo-1B-0724-step9", 9},
                                                             {"iter_0000200", 200},
                                                             {"refs/step512", 512},
                                                             {"step1000.gguf", 1000},
                                                             {"epoch=3-step=750.ckpt", 750}}) {
        CAPTURE(name);
        CHECK(models::checkpoint_at("2024/" + name).step == step);
        CHECK(models::checkpoint_at("2024/" + name).notice.empty());
    }
}

TEST_CASE("a name whose number may be a part of another one is told", "[models][checkpoints]") {
    for (auto const& [name, step] : std::vector<std::pair<std::string, plateau::index>>{{"step-2k", 2},
                                                                                        {"step-10K-a", 10},
                                                                                        {"step_1,000", 1},
                                                                                        {"step_1e3", 1},
                                                                                        {"ckpt-1.25", 25},
                                                                                        {"20B-tokens", 20},
                                                                                        {"1000M", 1000}}) {
        CAPTURE(name);
        auto const one = models::checkpoint_at("a/" + name);
        CHECK(one.step == step);
        CHECK_THAT(one.notice, contains("a/" + name) && contains("read as " + std::to_string(step) + ","));
    }
    auto const large = models::checkpoint_at("a/step99999999999999999999", 7);
    CHECK(large.step == 7);
    CHECK_THAT(large.notice, contains("step99999999999999999999") && contains("too large"));
    CHECK(models::checkpoint_at("a/last").notice.empty());
}

TEST_CASE("in a folder names without a number come last, each a step later", "[models][checkpoints]") {
    scratch_dir const dir;
    for (auto const* name : {"final", "best", "checkpoint-500", "checkpoint-1000"})
        dir.write(std::string("run/") + name + "/config.json", "{}");
    auto const found = models::training_checkpoints({(dir / "run").string()});
    REQUIRE(found.size() == 4);
    CHECK(found[1].step == 1000);
    CHECK(found[2].name == "best");
    CHECK(found[2].step == 1001);
    CHECK(found[3].name == "final");
    CHECK(found[3].step == 1002);
}

TEST_CASE("the folder of a trainer stands for the checkpoints in it, then itself", "[models][checkpoints]") {
    scratch_dir const dir;
    for (auto const* name : {"", "checkpoint-1500/", "checkpoint-500/", "1_Pooling/", "checkpoint-last/"})
        dir.write("run-7/" + std::string(name) + "config.json", "{}");
    auto const run = (dir / "run-7").string();
    auto const found = models::training_checkpoints({run});
    REQUIRE(found.size() == 3);
    CHECK(found[0].step == 500);
    CHECK(found[1].step == 1500);
    CHECK(found[2].path == run);
    CHECK(found[2].step == 1501);
    CHECK(models::training_checkpoints({run, run}).size() == 2);  // of several each is what it is
}

TEST_CASE("a folder of models stands for them, in the order of their steps", "[models][checkpoints]") {
    scratch_dir const dir;
    for (auto const* name :
         {"all/step2/config.json", "all/step1/config.json", "all/no_model/readme", "one/config.json"})
        dir.write(name, "{}");
    auto const found = models::training_checkpoints({(dir / "one").string(), (dir / "all").string()});
    REQUIRE(found.size() == 3);
    CHECK(found[0].name == "one");
    CHECK(found[1].name == "step1");
    CHECK(found[2].step == 2);
    CHECK_THAT(
        message_of<plateau::usage_error>([&] { models::training_checkpoints({(dir / "all/no_model").string()}); }),
        contains("neither a model nor a folder of models"));
    dir.write("all/step9/model.safetensors", "half a download");
    CHECK_THAT(message_of<plateau::file_error>([&] { models::training_checkpoints({(dir / "all").string()}); }),
               contains("step9: there is model.safetensors, but no config.json"));
}

TEST_CASE("the revisions of a folder of the Hugging Face cache stand in the order of their steps",
          "[models][checkpoints]") {
    scratch_dir const dir;
    for (auto const* name : {"step1000", "step64", "step512", "main"}) {
        std::string const hash = "abc" + std::to_string(std::string(name).size());  // main is step1000
        dir.write(std::string("models--o--m/refs/") + name, hash);
        dir.write("models--o--m/snapshots/" + hash + "/config.json", "{}");
    }
    dir.write("models--o--m/refs/step7", "abc0");  // not fetched
    for (auto const* given : {"models--o--m", "models--o--m/", "models--o--m/refs", "models--o--m/snapshots"}) {
        CAPTURE(given);
        auto const found = models::training_checkpoints({(dir / given).string()});
        REQUIRE(found.size() == 3);
        CHECK(found[0].name == "step64");
        CHECK(found[1].step == 512);
        CHECK(found[2].path == (dir / "models--o--m/refs/step1000").string());
    }
    CHECK(models::training_checkpoints({(dir / "models--o--m/refs/step64").string()}).front().step == 64);
    for (auto const* step : {"step1000", "step64", "step512"})
        std::filesystem::remove(dir / (std::string("models--o--m/refs/") + step));
    CHECK(models::training_checkpoints({(dir / "models--o--m").string()}).front().name == "main");
}

TEST_CASE("checkpoints beside a model go by their steps", "[models][checkpoints]") {
    scratch_dir const dir;
    for (auto const* name : {"checkpoints/step-10/config.json", "checkpoints/step-9/config.json", "checkpoints/notes"})
        dir.write(name, "{}");
    auto const found = models::checkpoints_beside(dir.path());
    REQUIRE(found.size() == 2);
    CHECK(found[0].step == 9);
    CHECK(found[1].step == 10);
    CHECK(models::checkpoints_beside(dir / "checkpoints").empty());
}

}  // namespace
