#include <plateau/tensor/singular_pairs.hpp>

#include <cmath>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using plateau::index;
using plateau::testing::contains;
namespace tensor = plateau::tensor;

/// Products of a dense matrix.
tensor::matrix_products products_of(Eigen::MatrixXd const& a) {
    auto const with = [](Eigen::MatrixXd const& m) {
        return [m](tensor::view<double const, 2> x) {
            tensor::buffer<double, 2> y({x.extent(0), m.rows()});
            tensor::as_eigen(y.view()) = tensor::as_eigen(x) * m.transpose();
            return y;
        };
    };
    return {a.rows(), a.cols(), with(a), with(a.transpose())};
}

Eigen::MatrixXd random_matrix(index rows, index columns, std::uint64_t seed) {
    auto const values = plateau::testing::random_buffer<double, 2>({rows, columns}, seed);
    return tensor::as_eigen(values.view());
}

TEST_CASE("the largest singular pairs are those of a dense decomposition", "[tensor]") {
    for (auto const& [rows, columns] : {std::pair<index, index>{30, 20}, {20, 30}, {200, 120}, {5, 5}}) {
        CAPTURE(rows, columns);
        auto const a = random_matrix(rows, columns, static_cast<std::uint64_t>(rows));
        Eigen::JacobiSVD<Eigen::MatrixXd> const dense{a};
        auto const found = tensor::largest_singular_pairs(products_of(a), 5);
        for (index i = 0; i < 5; ++i) {
            CHECK(found.values[static_cast<std::size_t>(i)] == Approx(dense.singularValues()(i)).epsilon(1e-10));
            Eigen::VectorXd const u = tensor::as_eigen(found.left.view()).row(i).transpose(),
                                  v = tensor::as_eigen(found.right.view()).row(i).transpose();
            CHECK((a * v - found.values[static_cast<std::size_t>(i)] * u).norm() <= 1e-8 * dense.singularValues()(0));
        }
    }
}

TEST_CASE("equal singular values, and none but a few, are found too", "[tensor]") {
    Eigen::MatrixXd const equal = 3 * Eigen::MatrixXd::Identity(12, 12);
    for (double const value : tensor::largest_singular_pairs(products_of(equal), 4).values) CHECK(value == Approx(3));
    auto const thin = random_matrix(40, 2, 1), wide = random_matrix(2, 30, 2);
    auto const two = tensor::largest_singular_pairs(products_of(thin * wide), 4);
    CHECK(two.values[1] > 1);
    CHECK(std::abs(two.values[2]) <= 1e-9 * two.values[0]);
    auto const zero = tensor::largest_singular_pairs(products_of(Eigen::MatrixXd::Zero(7, 6)), 2);
    CHECK(zero.values == std::vector<double>{0, 0});
}

TEST_CASE("singular pairs refuse what there is not", "[tensor]") {
    auto const a = products_of(random_matrix(6, 4, 3));
    CHECK_THROWS_WITH(tensor::largest_singular_pairs(a, 5), contains("6 x 4 has no 5 largest singular values"));
    CHECK_THROWS_AS(tensor::largest_singular_pairs(a, 0), plateau::usage_error);
    CHECK_THROWS_WITH(tensor::largest_singular_pairs(products_of(random_matrix(90, 90, 3)), 5, {.most_products = 20}),
                      contains("do not converge within"));
    auto endless = products_of(Eigen::MatrixXd::Constant(3, 3, INFINITY));
    CHECK_THROWS_WITH(tensor::largest_singular_pairs(endless, 1), contains("not finite"));
}

}  // namespace
