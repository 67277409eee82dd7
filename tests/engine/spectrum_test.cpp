#include <plateau/engine/spectrum.hpp>

#include <plateau/engine/load.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
namespace tensor = plateau::tensor;

TEST_CASE("singular pairs and norms of a Jacobian are those of the whole matrix", "[engine][tangents]") {
    std::vector<plateau::token_id> const prompt{3, 5, 7, 11};
    for (std::string const name : {"llama_gqa", "gpt2"}) {
        auto const model = plateau::load<double>(golden::models_folder() / name, {.backend = {.threads = 2}});
        plateau::derivative_of what;
        for (std::string const held : {"", "norm_scale"}) {
            CAPTURE(name, held);
            if (!held.empty()) what.constant = {held};
            what.read = "unembed.hook_in";
            auto const jacobian = model.jacobian(prompt, what);
            Eigen::MatrixXd const dense = tensor::as_eigen(jacobian.view());
            Eigen::JacobiSVD<Eigen::MatrixXd> const svd{dense};
            auto const found = plateau::singular_pairs(model, prompt, 5, what);
            for (std::size_t i = 0; i < 5; ++i)
                CHECK(found.values[i] == Approx(svd.singularValues()(static_cast<index>(i))).epsilon(1e-8));
            // ‖W_U J‖_F without the rows of tokens
            auto const at_logits = plateau::norm_at_logits<double>(plateau::unembedding_gram(model), jacobian);
            what.read = "unembed.hook_out";
            auto const logits = model.jacobian(prompt, what);
            CHECK(at_logits == Approx(tensor::as_eigen(logits.view()).norm()).epsilon(1e-10));
        }
    }
    auto const single = plateau::load<float>(golden::models_folder() / "llama_gqa");
    auto const jacobian = single.jacobian(prompt);
    Eigen::JacobiSVD<Eigen::MatrixXd> const svd{tensor::as_eigen(jacobian.view()).cast<double>().eval()};
    auto const found = plateau::singular_pairs(single, prompt, 2);
    CHECK(found.values[1] == Approx(svd.singularValues()(1)).epsilon(1e-5));
}

TEST_CASE("Hutchinson's estimate has the norm in its interval as often as it says", "[engine][tangents]") {
    auto const model = plateau::load<double>(golden::models_folder() / "llama_gqa", {.backend = {.threads = 2}});
    std::vector<plateau::token_id> const prompt{3, 5, 7, 11};
    auto const jacobian = model.jacobian(prompt);
    double const whole = tensor::as_eigen(jacobian.view()).norm();
    int inside = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        auto const estimate = plateau::frobenius_norm(model, prompt, {}, 100, seed);
        CHECK(estimate.low < estimate.value);
        CHECK(estimate.value < estimate.high);
        inside += estimate.low <= whole && whole <= estimate.high ? 1 : 0;
    }
    CHECK(inside >= 87);  // 95 of them, less 3.5 deviations
    CHECK(inside < 100);
    CHECK_THROWS_WITH(plateau::frobenius_norm(model, prompt, {}, 1), contains("at least 2 probes"));
}

}  // namespace
