// Where the sources are, for tests that read files of theirs. The test programs define it
// (tests/source_dir.cc), so that what is compiled from a test is the same wherever the sources lie.
#pragma once

#include <filesystem>

namespace inlay {

std::filesystem::path source_dir();

}  // namespace inlay
