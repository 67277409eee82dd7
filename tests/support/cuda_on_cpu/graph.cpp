#include <cuda_runtime.h>

#include <memory>
#include <utility>
#include <vector>

using work_list = std::vector<std::function<void()>>;

struct CUgraph_st {
    work_list work;
};
struct CUgraphExec_st {
    work_list work;
};

namespace cuda_on_cpu {

namespace {

std::unique_ptr<work_list> recorded;  // of the stream, while it is recorded
int launched = 0;

}  // namespace

int graphs_run() { return launched; }

void give(std::function<void()> work) {
    if (recorded) recorded->push_back(std::move(work));
    else work();
}

cudaError_t answer_unless_recording() {
    auto const status = answer();
    return status == cudaSuccess && recorded ? cudaErrorStreamCaptureUnsupported : status;
}

}  // namespace cuda_on_cpu

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
    if (auto const status = cuda_on_cpu::answer_unless_recording(); status != cudaSuccess) return status;
    cuda_on_cpu::recorded = std::make_unique<work_list>();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
    *graph = nullptr;
    auto const all = std::exchange(cuda_on_cpu::recorded, nullptr);  // also where the call fails
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    if (!all) return cudaErrorInvalidValue;
    *graph = new CUgraph_st{std::move(*all)};
    cuda_on_cpu::count_object(1);
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
    *status = cuda_on_cpu::recorded ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cuda_on_cpu::answer();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    *executable = nullptr;
    if (auto const status = cuda_on_cpu::answer(); status != cudaSuccess) return status;
    *executable = new CUgraphExec_st{graph->work};
    cuda_on_cpu::count_object(1);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
    if (auto const status = cuda_on_cpu::answer_unless_recording(); status != cudaSuccess) return status;
    ++cuda_on_cpu::launched;
    for (auto const& one : executable->work) one();
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    cuda_on_cpu::count_object(-1);
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    delete executable;
    cuda_on_cpu::count_object(-1);
    return cudaSuccess;
}
