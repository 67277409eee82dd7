// A project without CUDA among its languages that gives work to a device, and says so where there is none.
#include <cstdio>
#include <string_view>

#include <plateau/nn/linear.hpp>

#if !PLATEAU_HAS_CUDA
#error "plateau::cuda has to say that it is there"
#endif

int main() {
    using namespace plateau;
    using plateau::index;
    using context = backend::cuda_context;
    try {
        context const ctx;
        tensor::buffer<float, 2> identity({8, 8}), x({3, 8});
        for (index i = 0; i < 8; ++i) identity(i, i) = 1;
        for (index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
        nn::linear<context, float> const layer{context::weight<float>{ctx, identity}};
        auto y = backend::allocate<float>(ctx, x.extents());
        layer.forward(ctx, backend::viewed_by(ctx, tensor::view<float const, 2>{x}), y.view());
        auto const same = backend::to_host(ctx, y);
        for (index i = 0; i < x.size(); ++i) {
            if (same.data()[i] != x.data()[i]) return 1;
        }
        std::puts("the device computes");
        return 0;
    } catch (device_error const& why) {
        std::puts(why.what());
        return std::string_view{why.what()}.find("use --backend cpu") == std::string_view::npos;
    }
}
