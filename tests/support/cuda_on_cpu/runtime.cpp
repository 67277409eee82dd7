#include <cuda_runtime.h>

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <memory>

namespace cuda_on_cpu {

namespace {

int calls_left = 0;  // until the one that fails; 0 for none
cudaError_t failure = cudaSuccess;

}  // namespace

void fail_call(int number, cudaError_t status) {
    calls_left = number;
    failure = status;
}

int calls_before_failure() { return calls_left; }

cudaError_t answer() { return calls_left > 0 && --calls_left == 0 ? failure : cudaSuccess; }

std::string name_of_function(void const* function) {
    Dl_info found{};
    if (dladdr(function, &found) == 0 || found.dli_sname == nullptr) return "a kernel";
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> const readable{
        abi::__cxa_demangle(found.dli_sname, nullptr, nullptr, &status), std::free};
    return status == 0 ? readable.get() : found.dli_sname;
}

}  // namespace cuda_on_cpu
