#pragma once
/// Finds the files of a model, and tells what a folder or file is that is none.

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// Where a model lies: a folder with config.json, or a GGUF file.
struct model_place {
    std::string path;
    std::string notice;  ///< a line on the choice that was made on the way, with its end; else empty
};

/// Follows a path into the Hugging Face cache; any other path stays as it is.
///     models--ORG--NAME, or snapshots or refs in it: the snapshot that refs/main names, else the only one
///     models--ORG--NAME/refs/REVISION: the snapshot of that revision
/// @throws file_error if a revision is not there, or there are several and none is main
model_place resolve_model(std::string path);

/// As resolve_model, of what is a model in form.
/// @throws file_error on anything else: it says what lies there and how to make a model of it, or which one to give
model_place find_model(std::string const& path);

/// What to say of a path with nothing at it.
std::string no_model_at(std::string const& given);

/// The files refs/REVISION of a folder models--ORG--NAME of the Hugging Face cache whose snapshots are there, sorted;
/// none for another folder.
std::vector<std::string> cached_revisions(std::string folder);

/// A sentence on a symbolic link in a folder whose file is missing, as one that was fetched in part leaves it; empty if
/// it is none.
std::string broken_link(std::string const& folder, std::string_view name);

/// A sentence, and a command where there is one, on the first of the things in a folder that belong to another format;
/// empty if there is none of them.
std::string foreign_format(std::string const& folder);

/// `command` with the folder in the place of every @.
std::string command_for(std::string_view command, std::string const& folder);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/model_place.ipp>
#endif
