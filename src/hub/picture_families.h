// Which pictures of a collection are variants of one, by their names: a picture of one colour and
// the same of another tell nothing about what a model has learnt when it was trained on the first.
//
// Within a folder those are one family whose names agree without what is at their ends: digits, a
// single letter, and words such as red, left, old, outline, each behind "-" or "_":
//
//   food/fruit/apple_red.png, apple_green.png          food/fruit/apple
//   seasonal/halloween/grave-a.png, grave-b.png        seasonal/halloween/grave
//   animals/mammals/pig_golden.png, pig_golden2.png    animals/mammals/pig
#pragma once

#include <string>
#include <string_view>

namespace inlay {

// "folder/name" of the family of the picture "folder/name.png". A name that would become empty is a
// family of its own.
std::string picture_family(std::string_view path);

}  // namespace inlay
