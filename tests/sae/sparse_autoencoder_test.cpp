#include <plateau/sae/feature_counts.hpp>
#include <plateau/sae/load_sae.hpp>
#include <plateau/sae/sae_site.hpp>
#include <plateau/sae/sae_source.hpp>
#include <plateau/sae/sparse_autoencoder.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <plateau/io/npy.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using context = backend::cpu_context;
using testing::contains;

std::filesystem::path saes() { return std::filesystem::path(baked::tests) / "golden" / "saes"; }

template <class T>
tensor::buffer<T, 2> matrix(std::filesystem::path const& file) {
    auto const array = io::read_npy<double>(file);
    tensor::buffer<T, 2> result({array.shape.at(0), array.shape.at(1)});
    for (index i = 0; i < result.size(); ++i)
        result.data()[i] = static_cast<T>(array.values[static_cast<std::size_t>(i)]);
    return result;
}

template <class T>
double largest(tensor::buffer<T, 2> const& m) {
    double most = 0;
    for (index i = 0; i < m.size(); ++i) most = std::max(most, std::abs(static_cast<double>(m.data()[i])));
    return most;
}

TEMPLATE_TEST_CASE("autoencoders that others saved give their features and reconstructions", "[sae][golden]", float,
                   double) {
    context const ctx{1};
    double const bound = std::is_same_v<TestType, double> ? 1e-12 : 1e-6;
    int count = 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(saes())) {
        if (entry.path().filename() != "inputs.npy") continue;
        auto const folder = entry.path().parent_path();
        CAPTURE(folder.string());
        ++count;
        auto const sae = sae::load_sae<TestType>(folder, ctx);
        CHECK(sae::hook_point_of(sae.config().site) == "blocks.1.hook_resid_post");
        auto const inputs = io::read_npy<float>(folder / "inputs.npy");
        index const rows = inputs.shape.at(0);
        tensor::buffer<TestType, 2> x({rows, sae.width()}), features({rows, sae.features()}), back({rows, sae.width()});
        std::copy(inputs.values.begin(), inputs.values.end(), x.data());
        auto const scales = sae.encode(ctx, x, features);
        sae.decode(features, scales, back);
        auto const want = matrix<TestType>(folder / "features.npy"),
                   want_back = matrix<TestType>(folder / "reconstructions.npy");
        double worst = 0, worst_back = 0;
        for (index i = 0; i < features.size(); ++i) {
            worst = std::max(worst,
                             std::abs(static_cast<double>(features.data()[i]) - static_cast<double>(want.data()[i])));
            CHECK((features.data()[i] > 0) == (want.data()[i] > 0));
        }
        for (index i = 0; i < back.size(); ++i) {
            worst_back = std::max(
                worst_back, std::abs(static_cast<double>(back.data()[i]) - static_cast<double>(want_back.data()[i])));
        }
        CHECK(worst <= bound * largest(want));
        CHECK(worst_back <= bound * largest(want_back));
        tensor::buffer<TestType, 2> whole({rows, sae.width()});
        sae.reconstruct(ctx, x, whole);
        CHECK(std::equal(back.data(), back.data() + back.size(), whole.data()));
    }
    CHECK(count == 25);
}

TEST_CASE("features are those of each row alone, and decoder rows are what a feature writes", "[sae]") {
    context const ctx{1};
    auto const sae = sae::load_sae<double>(saes() / "topk_rescaled", ctx);
    auto const x = matrix<double>(saes() / "standard" / "reconstructions.npy");
    tensor::buffer<double, 2> all({x.extent(0), sae.features()}), one({1, sae.features()});
    sae.encode(ctx, x, all);
    for (index r = 0; r < x.extent(0); ++r) {
        sae.encode(ctx, x.view().rows(r, 1), one);
        CHECK(std::equal(one.data(), one.data() + one.size(), all[r].data()));
        CHECK(std::count_if(one.data(), one.data() + one.size(), [](double f) { return f > 0; }) <= 7);
    }
    auto const plain = sae::load_sae<double>(saes() / "standard", ctx);
    tensor::buffer<double, 2> features({2, plain.features()}), out({2, plain.width()});
    features(1, 33) = 2.5;
    plain.decode(features, {}, out);
    for (index i = 0; i < plain.width(); ++i) {
        CHECK_THAT(out(1, i) - out(0, i),
                   testing::WithinAbs(2.5 * plain.decoder_row(33)[static_cast<std::size_t>(i)], 1e-14));
        CHECK(plain.decoder()(33, i) == plain.decoder_row(33)[static_cast<std::size_t>(i)]);
    }
}

TEST_CASE("topk keeps the first of equal features", "[sae]") {
    context const ctx{1};
    sae::sae_config config;
    config.architecture = sae::sae_architecture::topk;
    config.width = 1;
    config.features = 5;
    config.k = 2;
    sae::sae_weights<context, double> weights;
    tensor::buffer<double, 2> ones({5, 1});
    std::fill_n(ones.data(), 5, 1.0);
    weights.encoder = backend::linear_weight<double>{ones};
    weights.decoder = std::move(ones);
    weights.decoder_bias = tensor::buffer<double, 1>({1});
    weights.encoder_bias = tensor::buffer<double, 1>({5});
    sae::sparse_autoencoder<context, double> const sae{config, std::move(weights)};
    tensor::buffer<double, 2> x({2, 1}), features({2, 5});
    x(0, 0) = 3;
    x(1, 0) = -3;
    sae.encode(ctx, x, features);
    CHECK(std::vector<double>(features.data(), features.data() + 10) ==
          std::vector<double>{3, 3, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("features are counted", "[sae]") {
    sae::feature_counts counts{4};
    tensor::buffer<float, 2> rows({2, 4});
    rows(0, 1) = 2;
    rows(1, 1) = 1;
    rows(1, 3) = 0.5f;
    counts.add(rows.view());
    CHECK(counts.rows() == 2);
    CHECK(counts.count(1) == 2);
    CHECK(counts.alive() == std::vector<index>{1, 3});
    CHECK(counts.dead() == std::vector<index>{0, 2});
    CHECK_THROWS_AS(counts.add(tensor::buffer<float, 2>({1, 5}).view()), shape_error);
    CHECK_THROWS_AS(sae::feature_counts{0}, shape_error);
}

/// A copy of a golden autoencoder with one text of its configuration replaced.
struct changed_sae {
    changed_sae(std::string const& name, std::string const& from, std::string const& to,
                std::string const& file = "cfg.json")
        : folder{dir / std::filesystem::path(name).filename()} {
        std::filesystem::copy(saes() / name, folder, std::filesystem::copy_options::recursive);
        auto text = io::read_text(folder / file);
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        std::ofstream{folder / file, std::ios::binary} << text;
    }
    void refuses(std::string const& part) const {
        CAPTURE(part);
        CHECK_THROWS_WITH(sae::load_sae<float>(folder, context{1}), contains(part));
    }
    sae::sae_config config() const { return sae::find_sae(folder).config; }
    testing::scratch_dir dir;
    std::filesystem::path folder;
};

TEST_CASE("what an autoencoder's files say wrongly, or plateau cannot do, is an error that names it", "[sae][errors]") {
    changed_sae("standard", "\"standard\"", "\"temporal\"").refuses("temporal\" is not supported");
    changed_sae("standard", "\"normalize_activations\": \"none\"",
                "\"normalize_activations\": \"covariance_whitening\"")
        .refuses("fold it into the weights");
    changed_sae("standard", "\"d_in\": 12", "\"d_in\": 13")
        .refuses("W_enc has the shape [12, 70], cfg.json asks for [13, 70]");
    changed_sae("standard", "\"d_in\": 12", "\"d_in\": 0").refuses("must be positive");
    changed_sae("standard", "\"d_in\": 12,", "").refuses("d_in");
    changed_sae("jumprelu", "\"jumprelu\"", "\"standard\"").refuses("unexpected tensor \"threshold\"");
    changed_sae("standard", "\"standard\"", "\"gated\"").refuses("no tensor b_mag");
    changed_sae("standard", "\"standard\"", "\"jumprelu\"").refuses("no tensor threshold");
    changed_sae("topk", "\"k\": 7", "\"k\": 71").refuses("k must be 1 to d_sae = 70");
    changed_sae("topk", "\"k\": 7,", "").refuses("k");
    changed_sae("before_6", "\"relu\"", "\"tanh-relu\"").refuses("tanh-relu\" is not supported");
    changed_sae("before_6", "\"d_in\"", "\"finetuning_scaling_factor\": true, \"d_in\"")
        .refuses("finetuning_scaling_factor");
    changed_sae const cut("standard", "\"d_in\"", "\"d_in\"");
    std::filesystem::resize_file(cut.folder / "sae_weights.safetensors", 4000);
    cut.refuses("sae_weights.safetensors");
    std::filesystem::remove(cut.folder / "sae_weights.safetensors");
    cut.refuses("save_model");

    auto const sae = sae::load_sae<float>(saes() / "standard", context{1});
    CHECK_NOTHROW(sae::require_site(sae.config(), "blocks.2.hook_resid_pre", 12));
    CHECK_NOTHROW(sae::require_site(sae.config(), "blocks.1.hook_resid_post", 12));
    CHECK_THROWS_WITH(sae::require_site(sae.config(), "blocks.2.hook_resid_post", 12),
                      contains("trained at \"blocks.2.hook_resid_pre"));
    CHECK_THROWS_WITH(sae::require_site(sae.config(), "blocks.2.hook_resid_pre", 64), contains("12 inputs"));
    tensor::buffer<float, 2> narrow({1, 11}), features({1, 70});
    CHECK_THROWS_AS(sae.encode(context{1}, narrow, features), shape_error);
}

TEST_CASE("folders of other projects that say something wrong, or that plateau cannot do", "[sae][errors]") {
    std::string const topk = "sparsify_topk/layers.1", groupmax = "sparsify_groupmax/layers.1",
                      scope = "gemma_scope/gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_71";
    changed_sae(topk, "\"transcode\": false", "\"transcode\": true").refuses("it is a transcoder");
    changed_sae(topk, "\"skip_connection\": false", "\"skip_connection\": true").refuses("skip connection");
    changed_sae(topk, "\"k\": 6", "\"k\": 6, \"signed\": true").refuses("negative");
    changed_sae(topk, "\"topk\"", "\"relu\"").refuses("there are topk and groupmax");
    changed_sae(topk, "\"k\": 6", "\"k\": 73").refuses("k must be 1 to d_sae = 72");
    changed_sae(topk, "\"num_latents\": 72", "\"num_latents\": 0").refuses("cfg.json asks for [384, 12]");  // 32 d_in
    changed_sae(topk, "\"d_in\": 12", "\"d_in\": 0").refuses("positive");
    changed_sae(groupmax, "\"k\": 6", "\"k\": 7").refuses("72 features do not make 7 equal groups");

    auto const of_dictionary = [](std::string const& name, std::string const& from, std::string const& to) {
        return changed_sae("dictionary_" + name, from, to, "config.json");
    };
    of_dictionary("standard", "\"AutoEncoder\"", "\"IdentityDict\"").refuses("IdentityDict\" is not supported");
    of_dictionary("standard", "\"trainer\"", "\"trained\"").refuses("\"trainer\" is missing");
    of_dictionary("standard", "\"dict_size\": 72", "\"dict_size\": 71")
        .refuses("encoder.weight has the shape [72, 12], config.json asks for [71, 12]");
    of_dictionary("standard", "\"AutoEncoder\"", "\"GatedAutoEncoder\"").refuses("no tensor decoder_bias");
    of_dictionary("topk", "\"k\": 6", "\"k\": 0").refuses("k must be 1 to");
    of_dictionary("topk", "\"k\": 6", "\"k\": 9").refuses("k is 6 there and 9 in config.json");
    of_dictionary("topk", "\"AutoEncoderTopK\"", "\"AutoEncoderNew\"").refuses("no tensor decoder.bias");

    changed_sae const gone(scope, "W_dec", "W_dee", "params.npz");  // an entry has its name in two places
    auto renamed = io::read_text(gone.folder / "params.npz");
    renamed.replace(renamed.find("W_dec"), 5, "W_dee");
    std::ofstream{gone.folder / "params.npz", std::ios::binary} << renamed;
    gone.refuses("no tensor W_dec");
    changed_sae const scope_2("gemma_scope_2/resid_post/layer_1_width_16k_l0_medium", "threshold", "thresholx",
                              "params.safetensors");
    scope_2.refuses("no tensor threshold");
    testing::scratch_dir const dir;
    for (std::string const name : {"gemma-scope-2b-pt-transcoders/layer_1", "transcoder/layer_1", "clt/layer_1"}) {
        std::filesystem::create_directories((dir / name).parent_path());
        std::filesystem::copy(saes() / scope, dir / name);
        CHECK_THROWS_WITH(sae::find_sae(dir / name), contains("which reads one site and writes others"));
    }
    std::filesystem::copy(saes() / scope, dir / "embedding");
    CHECK_THROWS_WITH(sae::find_sae(dir / "embedding"), contains("autoencoder of embeddings"));
    CHECK_THROWS_WITH(sae::find_sae(dir / "clt" / "none"), contains("no such file") && contains("params.npz"));
    CHECK_THROWS_WITH(sae::find_sae(dir / "clt"), contains("a level down; give ") && contains("layer_1"));
    std::filesystem::copy(saes() / scope, dir / "clt" / "layer_0");
    CHECK_THROWS_WITH(sae::find_sae(dir / "clt"), contains("give the folder of one, such as ") && contains("layer_0"));
    CHECK_THROWS_WITH(sae::find_sae(dir / "clt" / "layer_0" / "params.npz"),
                      contains("give the folder that holds it") && contains((dir / "clt" / "layer_0").string()));
    // a value that is no number
    auto const nan = std::string("\0\0\xc0\x7f", 4);
    auto const value_at = [](std::filesystem::path const& file, std::size_t at) {
        return io::read_text(file).substr(at, 4);
    };
    changed_sae("standard", value_at(saes() / "standard/sae_weights.safetensors", 7320 - 4), nan,
                "sae_weights.safetensors")
        .refuses("is not finite");

    changed_sae("standard", "\"hook_name\"", "\"hook_name_out\": \"blocks.2.hook_mlp_out\", \"hook_name\"")
        .refuses("it is a transcoder: it reads \"blocks.2.hook_resid_pre\" and writes \"blocks.2.hook_mlp_out\"");
    for (std::string const name : {"transcoder", "skip_transcoder", "jumprelu_transcoder", "crosscoder"})
        changed_sae("standard", "\"standard\"", '"' + name + '"').refuses("it is a \"" + name + "\", which reads");
    changed_sae("standard", "\"hook_name\"", "\"hook_head_index\": 3, \"hook_name\"").refuses("one head");
    changed_sae("unfolded", "0.37", "-0.37", "activation_scaler.json").refuses("scaling_factor must be positive");
}

/// A safetensors file with another float32 vector at its end.
void add_vector(std::filesystem::path const& path, std::string const& name, std::vector<float> const& values) {
    auto const old = io::read_text(path);
    std::uint64_t length = 0;
    std::memcpy(&length, old.data(), 8);
    auto header = old.substr(8, length);
    auto const data = old.substr(8 + length), begin = std::to_string(data.size()),
               end = std::to_string(data.size() + 4 * values.size());
    header.erase(header.rfind('}'));
    header += ",\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(values.size()) +
              "],\"data_offsets\":[" + begin + "," + end + "]}}";
    length = header.size();
    std::ofstream out{path, std::ios::binary};
    out.write(reinterpret_cast<char const*>(&length), 8) << header << data;
    out.write(reinterpret_cast<char const*>(values.data()), static_cast<std::streamsize>(4 * values.size()));
}

TEST_CASE("tensors that nothing reads are refused by name, unless they carry nothing", "[sae][errors]") {
    changed_sae const ones("standard", "\"d_in\"", "\"d_in\""), scaled("standard", "\"d_in\"", "\"d_in\""),
        skips("gemma_scope_2/resid_post/layer_1_width_16k_l0_medium", "threshold", "threshold", "params.safetensors");
    std::vector<float> factors(70, 1);
    add_vector(ones.folder / "sae_weights.safetensors", "scaling_factor", factors);
    CHECK_NOTHROW(sae::load_sae<float>(ones.folder, context{1}));
    factors[3] = 2;
    add_vector(scaled.folder / "sae_weights.safetensors", "scaling_factor", factors);
    scaled.refuses("scaling_factor of feature 3 is not 1");
    changed_sae const pickle("dictionary_topk", "\"k\"", "\"k\"", "config.json");
    std::filesystem::remove(pickle.folder / "ae.safetensors");
    std::ofstream{pickle.folder / "ae.pt"} << "junk";
    CHECK_THROWS_WITH(sae::load_sae<float>(pickle.folder, context{1}),
                      contains("ae.pt") && !contains("safetensors file"));
    add_vector(skips.folder / "params.safetensors", "W_skip", {1});
    skips.refuses("unexpected tensor \"W_skip\"");
}

TEST_CASE("configurations tell what is no error in notes", "[sae]") {
    CHECK(changed_sae("standard", "\"none\"", "\"none\"").config().notes.empty());
    CHECK(sae::find_sae(saes() / "unfolded").config.notes.empty());  // its factor is there
    for (std::string const value : {"\"expected_average_only_in\"", "true"}) {
        auto const notes =
            changed_sae("before_6", "\"normalize_activations\": false", "\"normalize_activations\": " + value)
                .config()
                .notes;
        REQUIRE(notes.size() == 1);
        CHECK_THAT(notes[0],
                   contains("not folded into its weights") && contains("fold_activation_norm_scaling_factor"));
    }
    for (std::string const key : {"model_from_pretrained_kwargs", "model_kwargs"}) {
        auto const kwargs = '"' + key + "\": {\"center_writing_weights\": true}, \"hook_name\"";
        CHECK(changed_sae("standard", "\"hook_name\"", kwargs).config().centred_model);
        CHECK(changed_sae("before_6", "\"hook_name\"", kwargs).config().centred_model);
    }
    auto const centred = "\"center_writing_weights\": true, \"hook_name\"";
    CHECK(changed_sae("standard", "\"hook_name\"", centred).config().centred_model);
    CHECK_FALSE(changed_sae("standard", "\"none\"", "\"none\"").config().centred_model);
    CHECK(changed_sae("before_6", "hook_name", "hook_point").config().site == "blocks.2.hook_resid_pre");
    CHECK(changed_sae("before_6", "\"relu\"", "\"relu\"").config().prepend_bos == true);
    CHECK_FALSE(changed_sae("standard", "\"none\"", "\"none\"").config().prepend_bos.has_value());

    // folders that do not say where
    testing::scratch_dir const dir;
    std::filesystem::copy(saes() / "sparsify_topk/layers.1", dir / "renamed");
    auto const renamed = sae::find_sae(dir / "renamed").config;
    CHECK(renamed.site.empty());
    CHECK_THAT(renamed.notes.at(0), contains("not called as a module"));
    auto const scope = saes() / "gemma_scope/gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_71";
    std::filesystem::create_directories(dir / "layer_20");
    std::filesystem::copy(scope, dir / "layer_20" / "width_16k");
    auto const moved = sae::find_sae(dir / "layer_20" / "width_16k").config;
    CHECK(moved.site == "blocks.20.hook_resid_post");
    CHECK_THAT(moved.notes.at(0), contains("taken to be of blocks.20.hook_resid_post"));
    std::filesystem::copy(scope, dir / "lost");
    CHECK_THAT(sae::find_sae(dir / "lost").config.notes.at(0), contains("names no layer"));
    auto const mlp = dir / "gemma-scope-9b-pt-mlp" / "layer_7";
    std::filesystem::create_directories(mlp.parent_path());
    std::filesystem::copy(scope, mlp);
    auto const of_mlp = sae::find_sae(mlp).config;
    CHECK(of_mlp.site == "blocks.7.hook_mlp_out");
    CHECK(of_mlp.notes.empty());
    CHECK(of_mlp.prepend_bos == true);
    CHECK(of_mlp.context_size == 1024);
}

TEST_CASE("activations go in less their mean where the model was centred and has LayerNorm", "[sae]") {
    context const ctx{1};
    std::string const site = "blocks.1.hook_resid_post";
    auto centred = sae::load_sae<double>(saes() / "centred", ctx);
    auto const x = matrix<double>(saes() / "standard" / "reconstructions.npy");
    tensor::buffer<double, 2> less({x.extent(0), x.extent(1)});
    for (index r = 0; r < x.extent(0); ++r) {
        double mean = 0;
        for (index i = 0; i < x.extent(1); ++i) mean += x(r, i) / static_cast<double>(x.extent(1));
        for (index i = 0; i < x.extent(1); ++i) less(r, i) = x(r, i) - mean;
    }
    auto const features_of = [&](tensor::buffer<double, 2> const& rows) {
        tensor::buffer<double, 2> features({rows.extent(0), centred.features()});
        centred.encode(ctx, rows, features);
        return features;
    };
    auto const off = [&](tensor::buffer<double, 2> const& a, tensor::buffer<double, 2> const& b) {
        double most = 0;
        for (index i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
        return most;
    };
    auto notes = sae::prepare(centred, site, 12, norm_kind::rms, false);
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes[0], contains("RMSNorm") && contains("as they are"));
    auto const plain = features_of(x), wanted = features_of(less);
    CHECK(off(plain, wanted) > 0.01);
    notes = sae::prepare(centred, site, 12, norm_kind::layer, false);
    REQUIRE(notes.size() == 1);
    CHECK_THAT(notes[0], contains("less their mean"));
    CHECK(off(features_of(x), wanted) < 1e-13);
    // the error of a reconstruction is that of the centred activation
    tensor::buffer<double, 2> back({x.extent(0), 12}), back_less({x.extent(0), 12});
    centred.reconstruct(ctx, x, back);
    centred.reconstruct(ctx, less, back_less);
    for (index i = 0; i < x.size(); ++i)
        CHECK_THAT(back.data()[i] - x.data()[i], testing::WithinAbs(back_less.data()[i] - less.data()[i], 1e-12));

    auto standard = sae::load_sae<double>(saes() / "standard", ctx);
    CHECK(sae::prepare(standard, site, 12, norm_kind::layer, false).empty());
    CHECK_THROWS_WITH(sae::prepare(standard, "blocks.0.hook_resid_post", 12, norm_kind::layer, false),
                      contains("trained at"));
    testing::scratch_dir const dir;
    std::filesystem::copy(saes() / "sparsify_topk/layers.1", dir / "layers.1.mlp");
    auto of_module = sae::load_sae<double>(dir / "layers.1.mlp", ctx);
    CHECK_NOTHROW(sae::prepare(of_module, "blocks.1.hook_mlp_out", 12, norm_kind::rms, false));
    CHECK_THROWS_WITH(sae::prepare(of_module, "blocks.1.hook_mlp_out", 12, norm_kind::rms, true),
                      contains("goes through a norm of this model"));
}

TEST_CASE("prompts that are unlike the texts of the training", "[sae]") {
    sae::sae_config config;
    CHECK(sae::prompt_notes(config, 5, 0, 1000).empty());
    config.prepend_bos = true;
    config.context_size = 8;
    CHECK(sae::prompt_notes(config, 5, 5, 8).empty());
    auto const notes = sae::prompt_notes(config, 5, 2, 9);
    REQUIRE(notes.size() == 2);
    CHECK_THAT(notes[0], contains("3 of 5 prompts do not: --bos on"));
    CHECK_THAT(sae::prompt_notes(config, 5, 0, 8, false).at(0),
               contains("names no BOS; give --tokens") && !contains("--bos"));
    CHECK_THAT(notes[1], contains("8 tokens") && contains("has 9"));
    config.prepend_bos = false;
    CHECK(sae::prompt_notes(config, 5, 0, 8).empty());
    CHECK_THAT(sae::prompt_notes(config, 5, 1, 8).at(0), contains("1 of 5 prompts begin with it"));
}

}  // namespace
