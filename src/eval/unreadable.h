// Pictures that cannot be read, where a run is to go on without them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/splits.h"

namespace inlay {

struct UnreadablePictures {
  std::vector<std::size_t> examples;  // ascending
  std::vector<std::string> messages;  // why, naming each; as many
};

// Decodes every picture once, several at a time.
UnreadablePictures unreadable_pictures(const Dataset& data);

// kInput naming the first of them, rather than in the middle of a run.
void refuse_unreadable(const Dataset& data);

// Takes those examples out of every part. kInput where a part that had examples then has none, or a
// class none to train on.
void leave_out(const UnreadablePictures& unreadable, const Dataset& data,
               std::vector<Split>& splits);

// Both, with a warning that names the first ten; gives how many there are.
std::size_t leave_out_unreadable(const Dataset& data, std::vector<Split>& splits);

}  // namespace inlay
