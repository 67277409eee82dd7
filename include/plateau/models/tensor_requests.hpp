#pragma once
/// Stored tensors asked for by name and shape, with an account of which were used.

#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/models/tensor_source.hpp>
#include <plateau/models/used_tensors.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::models {

/// Names and shapes that a configuration implies, asked of a checkpoint. A tensor that nobody asks for is an error: it
/// would change the numbers if it meant something.
template <class T>
class tensor_requests : public used_tensors {
public:
    /// @param source  kept as a reference
    explicit tensor_requests(tensor_source<T> const& source)
        : used_tensors{source.where(), source.names()}, source_{source} {}

    tensor_source<T> const& source() const { return source_; }

    /// Marks a tensor as used. @throws file_error if it is missing or has another shape
    PLATEAU_INLINE void require(std::string const& name, std::vector<index> const& expected) {
        if (!source_.contains(name)) fail_missing(name);
        if (!source_.fits(name, expected)) {
            throw file_error(source_.where(), ": the tensor ", name, " has shape ", shape_text(source_.shape(name)),
                             ", the configuration implies ", shape_text(expected));
        }
        mark(name);
    }

    /// A vector, on the host. @throws as require; numeric_error on a value that is not finite
    PLATEAU_INLINE tensor::buffer<T, 1> values(std::string const& name, index count) {
        require(name, {count});
        tensor::buffer<T, 1> result({count});
        source_.read_rows(name, 0, count, result.flat());
        return result;
    }

private:
    tensor_source<T> const& source_;
};

}  // namespace plateau::models
