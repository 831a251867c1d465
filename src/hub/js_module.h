// Values out of the JavaScript files in which some packages keep a model's data: an object literal
// and a string of base64. Only literals are understood; nothing is run.
#pragma once

#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace inlay {

// The value of the only property `name` that the source has, written as `name:[...]` or
// `name:{...}`. Keys may lack quotes, numbers may begin with a dot, !0 and !1 are true and false.
// kInput naming `where` for anything that is not such a literal, for escapes in strings, and for
// nesting deeper than 64.
Json js_property(std::string_view source, std::string_view name, std::string_view where);

// The bytes of the only `exports="..."`, a string of base64.
std::string js_exported_bytes(std::string_view source, std::string_view where);

}  // namespace inlay
