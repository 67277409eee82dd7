// Linked to plateau::compiled: every format is read through declarations alone.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <plateau/core/core_affinity.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/output_set.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/core/table.hpp>
#include <plateau/io/config/fields.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/tokenizer.hpp>
#if PLATEAU_HAS_MINIZIP && PLATEAU_HAS_ZLIB
#include <plateau/io/npz.hpp>
#endif

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

static_assert(PLATEAU_COMPILED == 1);
#if defined(RAPIDJSON_NAMESPACE) || defined(PCRE2_MAJOR) || defined(UTF8PROC_VERSION_MAJOR) || defined(ZLIB_VERSION)
#error "a header of io/ includes a library that only its bodies need"
#endif

using namespace plateau::testing;
namespace io = plateau::io;

namespace {

std::filesystem::path golden(std::string const& name) { return std::filesystem::path(baked::tests) / "golden" / name; }

}  // namespace

TEST_CASE("compiled: checkpoints, configurations and tokenizers are read", "[compiled]") {
    io::gguf_checkpoint const gguf{golden("gguf/tiny_llama.gguf")};
    CHECK(gguf.config().model_type == "llama");
    CHECK(io::tokenizer::from_gguf(gguf.file()).encode("a house").size() > 1);
    io::safetensors_checkpoint const checkpoint{golden("models/gpt2")};
    auto const name = checkpoint.names().front();
    std::vector<float> values(static_cast<std::size_t>(io::element_count(checkpoint.info(name))));
    checkpoint.read<float>(name, values);
    CHECK(std::isfinite(values.front()));

    auto const tokens = io::tokenizer::from_json_file(golden("tokenizer/llama2.json"));
    CHECK(tokens.decode(tokens.encode("Über das Haus")) == "Über das Haus");
    auto const document = io::parse_json(R"({"n": 3, "layer_types": ["full_attention"]})", "here.json");
    CHECK(io::field<plateau::index>(document.root(), "n", "here.json") == 3);
    CHECK(io::config::parse_windows(document.root(), 1, 0, 0, 1, "here.json").empty());
    CHECK_THROWS_AS(io::parse_json("{", "here.json"), plateau::file_error);
}

TEST_CASE("compiled: arrays are written and read", "[compiled]") {
    scratch_dir const folder;
    std::vector<float> const values{1, 2, 3, 4, 5, 6};
    {
        plateau::output_set out{folder.path()};
        io::write_npy(out.file("a.npy"), values, {2, 3});
#if PLATEAU_HAS_MINIZIP && PLATEAU_HAS_ZLIB
        io::npz_writer npz{out.file("a.npz")};
        npz.add("a", values, {3, 2});
        npz.close();
#endif
        out.commit();
    }
    CHECK(io::read_npy<float>(folder.path() / "a.npy").values == values);
#if PLATEAU_HAS_MINIZIP && PLATEAU_HAS_ZLIB
    CHECK(io::npz_reader{folder.path() / "a.npz"}.read<float>("a").values == values);
#endif
}

TEST_CASE("compiled: the rest of core", "[compiled]") {
    plateau::core_affinity const cores{1};
    std::vector<int> seen(5);
    plateau::parallel_for(2, 5, [&](plateau::index item, int) { seen[static_cast<std::size_t>(item)] = 1; });
    CHECK(seen == std::vector<int>(5, 1));
    plateau::progress{"items", 5}.advance(5);
    CHECK(plateau::sample_without_replacement(5, 5, 1).size() == 5);
    plateau::table table{{"name", "value"}};
    table.row({"a", plateau::fixed(1.5, 2)});
    CHECK(table.render() == "name  value\n----  -----\na      1.50\n");
    plateau::name_index names;
    names.add("b");
    CHECK(plateau::nearest_names("a", names.names()) == names.names());
    CHECK(plateau::matches("blocks.*", "blocks.0"));
}
