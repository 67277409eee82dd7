// What is recorded from a stream, and the host's way to matrices of a device.
#include <plateau/backend/cuda.hpp>
#include <plateau/backend/host_access.hpp>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;
using cuda = backend::cuda_context;

buffer<float, 2> filled(float value) {
    buffer<float, 2> x({3, 5});
    for (float& one : x.flat()) one = value;
    return x;
}

float first_of(cuda const& ctx, backend::device_buffer<float, 2> const& x) { return backend::to_host(ctx, x)(0, 0); }

TEST_CASE("recording does nothing, and what was recorded is done as often as it is run", "[cuda][graph]") {
    cuda const ctx;
    auto x = backend::to_device(ctx, filled(3));
    backend::cuda::graph const twice{ctx, [&] { backend::scale<float>(ctx, x.view(), 2); }};
    CHECK(first_of(ctx, x) == 3);
    twice.run();
    CHECK(first_of(ctx, x) == 6);
    twice.run();
    CHECK(first_of(ctx, x) == 12);
}

TEST_CASE("copies within the device, and zeros, are recorded too", "[cuda][graph]") {
    cuda const ctx;
    auto x = backend::to_device(ctx, filled(3)), y = backend::to_device(ctx, filled(4));
    backend::cuda::graph const moves{ctx, [&] {
                                         backend::copy<float>(ctx, x, y);
                                         backend::clear<float>(ctx, {x.data(), {3, 2}, {5, 1}});
                                     }};
    CHECK(first_of(ctx, y) == 4);
    moves.run();
    CHECK(first_of(ctx, y) == 3);
    auto const zeros = backend::to_host(ctx, x);
    CHECK(zeros(2, 1) == 0);
    CHECK(zeros(2, 2) == 3);
}

TEST_CASE("what cannot be recorded is refused, and the stream goes on as before", "[cuda][graph]") {
    cuda const ctx;
    auto x = backend::to_device(ctx, filled(3));
    struct mine {};
    auto const record = [&](auto const& give) { return backend::cuda::graph{ctx, give}; };
    CHECK_THROWS_AS(record([&] { ctx.synchronize(); }), device_error);
    CHECK_THROWS_AS(record([&] {
                        backend::scale<float>(ctx, x.view(), 2);
                        throw mine();
                    }),
                    mine);
    CHECK(first_of(ctx, x) == 3);
    CHECK_THROWS_AS(record([&] { backend::device_buffer<float, 1>{ctx, {8}}; }), device_error);
    auto host = filled(9);  // it need not be there any more when the graph runs
    CHECK_THROWS_AS(record([&] { backend::upload<float>(ctx, host, x); }), device_error);
    CHECK_THROWS_AS(record([&] { backend::upload<float>(ctx, host.view().rows(0, 1), x.view().rows(1, 1)); }),
                    device_error);
    CHECK_THROWS_AS(record([&] { backend::download<float>(ctx, x, host); }), device_error);
    CHECK(first_of(ctx, x) == 3);
    CHECK(host(0, 0) == 9);
    backend::scale<float>(ctx, x.view(), 2);
    CHECK(first_of(ctx, x) == 6);
}

TEST_CASE("work is recorded when its form comes by for the second time", "[cuda][graph]") {
    cuda const ctx;
    auto x = backend::to_device(ctx, filled(1));
    backend::repeated_work work;
    int given = 0;
    auto const run = [&](index form) {
        work.run(ctx, {form}, [&] {
            ++given;
            backend::scale<float>(ctx, x.view(), 2);
        });
    };
    for (int time = 0; time < 4; ++time) run(7);
    CHECK(given == 2);  // once as it is, once to be recorded
    CHECK(first_of(ctx, x) == 16);
    run(8);
    run(7);
    CHECK(given == 3);
    CHECK(first_of(ctx, x) == 64);
}

TEST_CASE("work that cannot be recorded is given each time, and somebody is told once", "[cuda][graph]") {
    cuda ctx;
    int told = 0;
    ctx.on_notice([&](std::string const& text) {
        ++told;
        CHECK_THAT(text, contains("cannot be recorded"));
    });
    auto x = backend::to_device(ctx, filled(1));
    backend::repeated_work work;
    for (int time = 0; time < 4; ++time) {
        work.run(ctx, {7}, [&] {
            backend::scale<float>(ctx, x.view(), 2);
            ctx.synchronize();
        });
    }
    CHECK(first_of(ctx, x) == 16);
    CHECK(told == 1);
}

TEST_CASE("the host writes, reads and changes copies of a device's matrix", "[cuda][host_access]") {
    cuda const ctx;
    auto x = backend::to_device(ctx, filled(1)), y = backend::to_device(ctx, filled(2));
    backend::host_copies<cuda, float> copies{ctx};
    using host_rows = backend::host_rows<cuda, float>;
    {
        host_rows of_x{copies, x}, of_y{copies, y};
        auto const seen = of_x.read(), changed = of_y.change();
        CHECK(seen(2, 4) == 1);
        CHECK(changed(0, 0) == 2);
        seen(0, 0) = 5;  // read alone: it stays here
        changed(0, 0) = 6;
        CHECK(first_of(ctx, y) == 2);
        of_x.finish();
        of_y.finish();
        CHECK(of_y.read()(0, 0) == 6);
    }
    CHECK(first_of(ctx, x) == 1);
    CHECK(first_of(ctx, y) == 6);
    {
        host_rows filled{copies, x};
        auto const rows = filled.write();
        std::fill_n(rows.data(), rows.size(), 7.0f);
        filled.finish();
    }
    CHECK(first_of(ctx, x) == 7);
    {
        host_rows columns{copies, {x.data() + 1, {3, 2}, {5, 1}}};  // of a wider matrix
        CHECK(columns.read().dense());
        columns.change()(2, 1) = 8;
        columns.finish();
    }
    {
        host_rows forgotten{copies, x};  // nobody finished: it goes nowhere
        forgotten.change()(0, 0) = 9;
    }
    CHECK(first_of(ctx, x) == 7);
    auto const all = backend::to_host(ctx, x);
    CHECK(all(2, 2) == 8);
    CHECK(all(2, 1) == 7);
    CHECK(all(2, 3) == 7);
}

}  // namespace
