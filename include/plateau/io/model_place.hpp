#pragma once
/// Finds the files of a model, and tells what a folder or file is that is none.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// Where a model lies: a folder with config.json, or a GGUF file.
struct model_place {
    std::filesystem::path path;
    std::string notice;  ///< what to say of the choice that was made on the way; empty if it is the path that was given
};

/// Follows a path into the Hugging Face cache; any other path stays as it is.
///     models--ORG--NAME, or snapshots or refs in it: the snapshot that refs/main names, else the only one
///     models--ORG--NAME/refs/REVISION: the snapshot of that revision
/// @throws file_error if a revision is not there, or there are several and none is main
model_place resolve_model(std::filesystem::path const& path);

/// As resolve_model, of what is a model in form.
/// @throws file_error on anything else: it says what lies there and how to make a model of it, or which one to give
model_place find_model(std::filesystem::path const& path);

/// The files refs/REVISION of a folder models--ORG--NAME of the Hugging Face cache whose snapshots are there, sorted;
/// none for another folder.
std::vector<std::filesystem::path> cached_revisions(std::filesystem::path const& folder);

/// A sentence, and a command where there is one, on the first of the things in a folder that belong to another format;
/// empty if there is none of them.
std::string foreign_format(std::filesystem::path const& folder);

/// `command` with the folder in the place of every @.
std::string command_for(std::string_view command, std::filesystem::path const& folder);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/model_place.ipp>
#endif
