#include <plateau/io/model_place.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using plateau::file_error;
using plateau::io::cached_revisions, plateau::io::mapped_file, plateau::io::model_place, plateau::io::read_text;
using plateau::io::safetensors_checkpoint;
namespace fs = std::filesystem;

model_place find_model(fs::path const& path) { return plateau::io::find_model(path.string()); }

std::string complaint(fs::path const& path) {
    return message_of<file_error>([&] { find_model(path); });
}

/// models--org--name in the cache, as its client leaves it.
struct cache : scratch_dir {
    fs::path root = path() / "models--org--name";

    void revision(std::string const& name, std::string const& hash, bool fetched = true) const {
        write("models--org--name/refs/" + name, hash);
        if (fetched) write("models--org--name/snapshots/" + hash + "/config.json", "{}");
    }
    fs::path snapshot(std::string const& hash) const { return root / "snapshots" / hash; }
};

TEST_CASE("a folder of the Hugging Face cache stands for its revision main", "[io][model_place]") {
    cache const c;
    c.revision("main", "abc1");
    c.revision("step64", "abc2");
    for (fs::path const& given : {c.root, c.root / "", c.root / "snapshots", c.root / "refs"}) {
        CAPTURE(given);
        auto const found = find_model(given);
        CHECK(found.path == c.snapshot("abc1"));
        CHECK_THAT(found.notice, contains("main") && contains(c.snapshot("abc1").string()));
    }
    CHECK(find_model(c.snapshot("abc2")).path == c.snapshot("abc2"));
    CHECK(find_model(c.snapshot("abc2")).notice.empty());
    CHECK_THAT(complaint(c.path()), contains("a folder of models") && contains(c.root.string()));
    c.write("above/hub/models--org--name/snapshots/abc1/config.json", "{}");
    CHECK_THAT(complaint(c.path() / "above"), contains((c.path() / "above/hub/models--org--name").string()));
}

TEST_CASE("a revision of the cache is named by its file in refs", "[io][model_place]") {
    cache const c;
    c.revision("main", "abc1");
    c.revision("step64", "abc2");
    c.revision("step512", "abc3", false);
    c.revision("pr/7", "abc4");
    c.write("models--org--name/refs/odd", "../../..");
    CHECK(find_model(c.root / "refs/step64").path == c.snapshot("abc2"));
    CHECK(find_model(c.root / "refs/step64").notice.empty());
    CHECK(find_model(c.root / "refs/pr/7").path == c.snapshot("abc4"));
    for (auto const* name : {"step512", "step7", "odd"}) {
        CAPTURE(name);
        CHECK_THAT(complaint(c.root / "refs" / name),
                   contains(std::string("hf download org/name --revision ") + name) && contains("refs/step64"));
    }
    CHECK_THAT(complaint(c.root / "refs/refs/pr/9"), contains("--revision refs/pr/9\nor give one of these"));
    cache const none;
    fs::create_directories(none.root / "snapshots");
    CHECK_THAT(complaint(none.root / "refs/x"), contains("--revision x") && !contains("or give one"));
    auto const revisions = cached_revisions(c.root.string());
    REQUIRE(revisions.size() == 2);
    CHECK(revisions[0] == c.root / "refs/main");
    CHECK(revisions[1] == c.root / "refs/step64");
    CHECK(cached_revisions(c.path().string()).empty());
}

TEST_CASE("without main a cache's only snapshot is taken, and of several one must be named", "[io][model_place]") {
    cache const c;
    fs::create_directories(c.root / "snapshots");
    CHECK_THAT(complaint(c.root), contains("hf download org/name"));
    c.revision("step64", "abc2");
    CHECK(find_model(c.root).path == c.snapshot("abc2"));
    c.revision("step512", "abc3");
    CHECK_THAT(complaint(c.root), contains("several revisions") && contains((c.root / "refs/step64").string()) &&
                                      contains("snapshots/abc3"));
}

TEST_CASE("a link to a file that was not fetched is named with its command", "[io][model_place]") {
    cache const c;
    c.revision("main", "abc1");
    for (auto const* name : {"model.safetensors", "pytorch_model.bin"}) {
        fs::create_symlink("../../blobs/absent", c.snapshot("abc1") / name);
        CHECK_THAT(message_of<file_error>([&] { safetensors_checkpoint{c.snapshot("abc1")}; }),
                   contains((c.snapshot("abc1") / name).string() + " is a link to a file that is not there") &&
                       contains("hf download org/name --revision abc1"));
        fs::remove(c.snapshot("abc1") / name);
    }
    fs::create_directories(c.snapshot("abc2"));
    fs::create_symlink("../../blobs/absent", c.snapshot("abc2") / "config.json");
    CHECK_THAT(complaint(c.snapshot("abc2")), contains("config.json is a link") && contains("hf download org/name"));
    fs::create_directories(c.path() / "m");
    fs::create_symlink("absent", c.path() / "m/config.json");
    CHECK_THAT(complaint(c.path() / "m"), contains("is a link") && contains("fetch it again"));
}

TEST_CASE("a file of a model names the folder to give", "[io][model_place]") {
    scratch_dir const dir;
    CHECK_THAT(complaint(dir.write("a/adapter_model.safetensors", "x")), contains("PEFT adapter"));
    CHECK_THAT(complaint(dir.write("a/adapter_config.json", "{}")), contains("merge_and_unload()"));
    dir.write("m/config.json", "{}");
    for (auto const* name : {"model.safetensors", "config.json", "tokenizer.json", "pytorch_model.bin", "merges.txt"}) {
        CAPTURE(name);
        CHECK_THAT(complaint(dir.write(std::string("m/") + name, "{}")),
                   contains("give its folder, " + (dir / "m").string()));
    }
    CHECK_THAT(complaint(dir.write("alone/x.safetensors", "x")), contains("a model is a folder that has config.json"));
    CHECK_THAT(complaint(dir.write("llama/consolidated.00.pth", "x")), contains("convert_llama_weights_to_hf"));
    CHECK(find_model(dir.write("a.gguf", "text")).path == dir / "a.gguf");  // its reader says what is wrong with it
    CHECK(find_model(dir.write("blob", "GGUF")).path == dir / "blob");
}

TEST_CASE("folders of other formats say what they are and the command that helps", "[io][model_place]") {
    for (auto const& [file, says] : std::vector<std::pair<std::string, std::string>>{
             {"tf_model.h5", "from_tf=True"},
             {"flax_model.msgpack", "from_flax=True"},
             {"model.onnx", "ONNX"},
             {"onnx/model.onnx", "ONNX"},
             {"consolidated.00.pth", "convert_llama_weights_to_hf"},
             {"zero_to_fp32.py", "zero_to_fp32.py"},
             {"__0_0.distcp", "accelerate merge-weights"},
             {"x.Q4_1.gguf", "give that file"},
             {"model-00001-of-00002.safetensors", "model.safetensors.index.json"},
             {"pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"},
             {"model.fp16.safetensors", "rename it"},
             {"adapter_config.json", "merge_and_unload()"},
             {"checkpoint.pt", "save_pretrained"}}) {
        CAPTURE(file);
        scratch_dir const dir;
        dir.write("m/" + file, "{}");
        CHECK_THAT(complaint(dir / "m"), contains(says) && contains("config.json") && contains((dir / "m").string()));
        dir.write("m/config.json", "{}");
        if (file != "adapter_config.json") CHECK(find_model(dir / "m").path == dir / "m");  // it may have weights
        auto const without = message_of<file_error>([&] { safetensors_checkpoint{dir / "m"}; });
        CHECK_THAT(without, contains(says));
    }
    scratch_dir const dir;
    dir.write("m/config.json", "{}");
    dir.write("m/model.safetensors", "{}");
    dir.write("m/adapter_config.json", "{}");  // transformers would load another model and change it
    CHECK_THAT(complaint(dir / "m"), contains("merge_and_unload()"));
    CHECK_THAT(complaint(dir.write("empty/x", "").parent_path()), contains("cannot read") && contains("config.json"));
    CHECK_THAT(complaint(dir / "absent"), contains("there is no model at") && !contains("hf download"));
    CHECK_THAT(complaint("org-without/model-1.5"), contains("hf download org-without/model-1.5"));
    CHECK_THAT(complaint(""), contains("the path of the model is empty"));
    dir.write("all/step-10/config.json", "{}");
    CHECK_THAT(complaint(dir / "all"), contains("give one of") && contains("step-10"));
}

TEST_CASE("a Git LFS pointer is named with its command, whatever file it stands for", "[io][model_place]") {
    scratch_dir const dir;
    std::string const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 269060552\n";
    for (auto const* name : {"m/model.safetensors", "m/tokenizer.json", "m/pytorch_model.bin", "m/x.gguf"}) {
        CHECK_THAT(
            message_of<file_error>([&] { mapped_file{dir.write(name, pointer)}; }),
            contains(name) && contains("Git LFS pointer") && contains("`git lfs pull` in " + (dir / "m").string()));
    }
    CHECK(read_text(dir.write("text", "version https://git-lfs")) == "version https://git-lfs");
}

}  // namespace
