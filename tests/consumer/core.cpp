// A project of its own that uses the headers without any other library.
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/tensor/buffer.hpp>

int main() {
    plateau::tensor::buffer<float, 2> values{{2, 3}};
    values(1, 2) = 1;
    return values.view()[1][2] == 1 && values.size() == 6 ? 0 : 1;
}
