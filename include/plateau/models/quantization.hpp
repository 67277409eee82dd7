#pragma once
/// Quantised checkpoints by name, and the command that makes a plain one of them.

#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/safetensors.hpp>

namespace plateau::models {

/// "quant_method" of "quantization_config" in a configuration; empty if there is none. "unknown" without a name.
/// @throws config_error on values of another kind
std::string parse_quantization(io::json const& root, std::string const& where);

/// Makes the stored names those of the family where a wrapper changed them, and requires plain floats of a model whose
/// configuration is quantised. @return lines on both, each with its end      @throws config_error as require_plain
std::string prepare(io::safetensors_checkpoint& stored, std::string const& method, std::string const& where);

/// Requires that every tensor NAME.weight of a checkpoint whose configuration is quantised is plain floats. That all
/// are there is seen when they are asked for.
/// @throws config_error that names the method, the tensor and the command
void require_plain(io::safetensors_checkpoint const& stored, std::string const& method, std::string const& where);

/// Why a plain tensor is missing, the end of a sentence: how the model is quantised, told by the configuration or by
/// the names that are there, or that an adapter is not merged, and the way out. Empty if neither is known.
/// @param method  of the configuration; empty if it is not quantised
std::string why_missing(std::string const& method, std::vector<std::string> const& names, std::string const& where);

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/quantization.ipp>
#endif
