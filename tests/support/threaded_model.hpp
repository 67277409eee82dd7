#pragma once
/// One model on any number of threads.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <plateau/engine/load.hpp>

#include "support/golden.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace plateau::testing {

/// A model that is loaded for each number of threads at which somebody asks for it: model(2) computes with two.
template <class T>
class threaded_model {
public:
    explicit threaded_model(std::function<model<T>(int threads)> load) : load_{std::move(load)} {}
    /// @param path  as plateau::load takes it, to be there as long as this
    threaded_model(std::filesystem::path const& path, load_options options)
        : threaded_model{[path, options](int threads) mutable {
              options.backend.threads = threads;
              return load<T>(path, options);
          }} {}

    model<T> const& operator()(int threads) const {
        auto known = models_.find(threads);
        if (known == models_.end()) known = models_.emplace(threads, load_(threads)).first;
        return known->second;
    }

    std::vector<hooks::site> const& sites() const { return (*this)(1).sites(); }
    int layers() const { return (*this)(1).layers(); }
    index width() const { return (*this)(1).width(); }
    index vocabulary() const { return (*this)(1).vocabulary(); }

private:
    std::function<model<T>(int)> load_;
    mutable std::map<int, model<T>> models_;
};

/// A random tiny Llama: gated MLP, rotary positions, grouped keys.
template <class T>
threaded_model<T> random_model(std::uint64_t seed = 7, load_options const& options = {}) {
    auto const folder = std::make_shared<scratch_dir>();
    tiny::checkpoint{seed}.write(folder->path());
    threaded_model<T> const on_disk{folder->path(), options};
    return threaded_model<T>{[folder, on_disk](int threads) { return on_disk(threads); }};
}

/// The same after a change of its weights. @param change  (models::transformer<backend::cpu_context, T>&)
template <class T, class Change>
threaded_model<T> changed_model(std::uint64_t seed, Change change) {
    auto const folder = std::make_shared<scratch_dir>();
    tiny::checkpoint{seed}.write(folder->path());
    return threaded_model<T>{[folder, change](int threads) {
        auto const ctx = std::make_shared<backend::cpu_context const>(threads);
        auto const opened = models::open<T>(folder->path());
        auto transformer = models::assemble<backend::cpu_context, T>(*ctx, opened.config, *opened.weights);
        change(transformer);
        return model<T>{ctx, std::move(transformer)};
    }};
}

/// One of the committed reference models.
template <class T>
threaded_model<T> golden_model(std::string const& name, load_options const& options = {}) {
    return {golden::models_folder() / name, options};
}

}  // namespace plateau::testing
