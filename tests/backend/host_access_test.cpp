#include <plateau/backend/host_access.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau;
using plateau::index;
using context = backend::cpu_context;
using host_rows = backend::host_rows<context, float>;

TEST_CASE("where the backend computes on the host, its rows are written, read and changed in place",
          "[backend][host_access]") {
    context const ctx{1};
    backend::host_copies<context, float> copies{ctx};
    CHECK(&copies.context() == &ctx);
    STATIC_REQUIRE(host_rows::direct);
    tensor::buffer<float, 2> x({3, 4});
    auto const is_x = [&](tensor::view<float, 2> rows) {
        CHECK(rows.data() == x.data());
        CHECK(rows.extents() == x.extents());
    };
    host_rows written{copies, x};
    is_x(written.write());
    written.finish();
    host_rows seen{copies, x};
    is_x(seen.read());
    host_rows changed{copies, x};  // several may be in use
    is_x(changed.change());
    changed.change()(2, 1) = 5;
    CHECK(seen.read()(2, 1) == 5);  // they are the same rows
    changed.finish();
    is_x(seen.read());
}

}  // namespace
