// The folder of this build, for the default of --model.

#include <plateau/program/options.hpp>

namespace baked {
extern char const* const data;  // the folder examples/data; the build says where
}

namespace {

[[maybe_unused]] bool const told = (plateau::program::data_folder = baked::data, true);

}  // namespace
