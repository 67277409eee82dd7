// One matrix product of 252 rows, 576 outputs and 576 inputs, for a tool that counts the instructions of
// counted_product. Prints the number of multiply-adds.

#include <cstdio>

#include "../random_model.hpp"

namespace {

using namespace plateau::benchmarks;
constexpr plateau::index rows = 252, outputs = 576, inputs = 576;

template <class Stored>
struct product {
    context ctx{1};
    plateau::backend::linear_weight<float> weight = random_weight<Stored>(outputs, inputs, 1);
    plateau::tensor::buffer<float, 2> x = random_values<float, 2>({rows, inputs}, 2), y{{rows, outputs}};

    void run() { plateau::backend::linear<float>(ctx, x, weight, y); }
};

}  // namespace

extern "C" [[gnu::noinline]] float counted_product(product<float>& p) {
    p.run();
    return p.y(rows - 1, outputs - 1);
}

int main() {
    product<float> p;
    p.run();  // memory that is kept from call to call comes now
    float volatile sink = counted_product(p);
    static_cast<void>(sink);
    std::printf("%lld\n", static_cast<long long>(rows * outputs * inputs));
}
