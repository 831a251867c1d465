// Command-line flags from a config's one list of fields: learning_rate becomes --learning-rate,
// with the field's help and default.
#pragma once

#include <CLI/CLI.hpp>

#include "base/fields.h"

namespace inlay::cli {

// The fields must live until the command line is parsed.
void add_flags(CLI::App& command, const Fields& fields);

}  // namespace inlay::cli
