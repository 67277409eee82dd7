// What the adapters of tensor/ must not accept, as far as a requires-expression can ask. Refusals with a message of
// their own are in rejected/.
#include <complex>
#include <type_traits>

#include <plateau/core/dtype.hpp>
#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/eigen.hpp>
#include <plateau/tensor/view.hpp>

#include "support/catch.hpp"

namespace plateau {
namespace {

struct device_space {};

template <class View>
concept eigen_takes = requires(View view) {
    tensor::as_eigen(view);
};
template <class Object>
concept view_takes = requires {
    tensor::as_view(std::declval<Object>());
};

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

static_assert(eigen_takes<tensor::view<float, 1>>);
static_assert(eigen_takes<tensor::view<double const, 2>>);
static_assert(!eigen_takes<tensor::view<float, 3>>, "Eigen has no tensors of rank 3 here");
static_assert(!eigen_takes<tensor::view<float, 2, device_space>>, "Eigen would read device memory");
static_assert(!eigen_takes<tensor::view<bfloat16, 2>>, "bfloat16 is storage, not a scalar");
static_assert(!eigen_takes<tensor::view<float16 const, 2>>);

static_assert(view_takes<row_major&>);
static_assert(view_takes<row_major const&>);
static_assert(view_takes<Eigen::Map<row_major>>, "a map does not own: its temporary may be viewed");
static_assert(!view_takes<row_major>, "the matrix would vanish under its view");
static_assert(!view_takes<Eigen::VectorXd>);

template <class T>
concept has_arithmetic = requires(T a, T b) {
    a + b;
};
static_assert(!has_arithmetic<bfloat16>, "16-bit floats are for storage");
static_assert(!has_arithmetic<float16>);
static_assert(!std::is_convertible_v<float, bfloat16>, "rounding is spelt out");
static_assert(!std::is_convertible_v<bfloat16, float>);
static_assert(!std::is_convertible_v<std::array<index, 2>, tensor::buffer<float, 2>>, "allocation is spelt out");

}  // namespace
}  // namespace plateau

TEST_CASE("adapters refuse at compile time what they cannot view", "[static]") { SUCCEED(); }
