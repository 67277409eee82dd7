#pragma once
/// The rotary positions of a configuration.

#include <memory>

#include <plateau/core/macros.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/nn/rope.hpp>

namespace plateau::models {

/// The rotary frequencies that a configuration describes.
nn::rope rope_of(io::rope_config const& r, index d_head);

/// The same to share; null without rotary positions.
std::shared_ptr<nn::rope const> make_rope(io::rope_config const& r, index d_head);

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/rotary.ipp>
#endif
