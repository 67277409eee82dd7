#include <plateau/nn/host_access.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using context = backend::cpu_context;

TEST_CASE("where the backend computes on the host, its matrices are written, read and changed in place",
          "[nn][host_access]") {
    context const ctx{1};
    nn::host_access<context, float> host{ctx};
    tensor::buffer<float, 2> x({3, 4});
    auto const is_x = [&](tensor::view<float, 2> rows) {
        CHECK((rows.data() == x.data() && rows.extents() == x.extents()));
    };
    host.write(x, is_x);
    host.read(x, [&](tensor::view<float, 2> rows) {
        is_x(rows);
        host.change(x, is_x);  // calls may be nested
    });
}

}  // namespace
