// The places of methods that work beside the blocks of a transformer's layers.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "nn/base_facts.h"

namespace inlay {

// The hidden sites with these roles, in the base's order; kUsage naming `method` where there are
// none.
std::vector<const Site*> block_sites(const BaseFacts& base, std::initializer_list<SiteRole> roles,
                                     const std::string& method);

// kUsage naming `method` and what to use instead unless the base reads images.
void require_images(const BaseFacts& base, const std::string& method, const std::string& instead);

}  // namespace inlay
