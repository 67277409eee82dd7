// oneDNN as a peer: weights brought once into the layout that it asks for; in bfloat16 the inputs are converted with
// every product, as plateau's are.
#include <string>

#include <omp.h>
#include <dnnl.hpp>

#include "product.hpp"

namespace {

using dnnl::memory;

struct product {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::inner_product_forward run;
    memory weight, x, y;
    dnnl::reorder convert;  // of the inputs, in bfloat16 alone
    memory narrow;

    product(float const* from, memory::dim outputs, memory::dim inputs, memory::dim rows, bool bf16) {
        auto const stored = bf16 ? memory::data_type::bf16 : memory::data_type::f32;
        using tag = memory::format_tag;
        memory::desc const plain_x{{rows, inputs}, memory::data_type::f32, tag::ab},
            own_x{{rows, inputs}, stored, tag::ab};
        memory::desc const plain_w{{outputs, inputs}, memory::data_type::f32, tag::ab},
            any_w{{outputs, inputs}, stored, tag::any};
        memory::desc const plain_y{{rows, outputs}, memory::data_type::f32, tag::ab};
#if DNNL_VERSION_MAJOR < 3
        dnnl::inner_product_forward::primitive_desc const chosen{
            {dnnl::prop_kind::forward_inference, own_x, any_w, plain_y}, engine};
#else
        dnnl::inner_product_forward::primitive_desc const chosen{engine, dnnl::prop_kind::forward_inference, own_x,
                                                                 any_w, plain_y};
#endif
        run = dnnl::inner_product_forward{chosen};
        weight = memory{chosen.weights_desc(), engine};
        memory source{plain_w, engine, const_cast<float*>(from)};
        dnnl::reorder{source, weight}.execute(stream, source, weight);
        stream.wait();
        x = memory{plain_x, engine, nullptr};
        y = memory{plain_y, engine, nullptr};
        if (!bf16) return;
        narrow = memory{own_x, engine};
        convert = dnnl::reorder{x, narrow};
    }
};

char const* name() {
    static std::string const text = [] {
        auto const* const v = dnnl_version();
        return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
    }();
    return text.c_str();
}

void* prepare(float const* weight, long outputs, long inputs, long rows, bool bf16) {
    omp_set_num_threads(1);
    try {
        return new product{weight, outputs, inputs, rows, bf16};
    } catch (dnnl::error const&) {
        return nullptr;
    }
}

void multiply(void* prepared, float const* x, float* y) {
    auto& p = *static_cast<product*>(prepared);
    p.x.set_data_handle(const_cast<float*>(x));
    p.y.set_data_handle(y);
    if (p.narrow) p.convert.execute(p.stream, p.x, p.narrow);
    p.run.execute(p.stream,
                  {{DNNL_ARG_SRC, p.narrow ? p.narrow : p.x}, {DNNL_ARG_WEIGHTS, p.weight}, {DNNL_ARG_DST, p.y}});
    p.stream.wait();
}

void release(void* prepared) { delete static_cast<product*>(prepared); }

constexpr plateau_peer_table table{name, prepare, multiply, release};

}  // namespace

PLATEAU_PEER { return &table; }
