#include "adapters/block_sites.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace inlay {

std::vector<const Site*> block_sites(const BaseFacts& base, std::initializer_list<SiteRole> roles,
                                     const std::string& method) {
  std::vector<const Site*> sites;
  std::copy_if(base.sites.begin(), base.sites.end(), std::back_inserter(sites),
               [&](const Site* site) {
                 return site->kind == SiteKind::kHidden &&
                        std::find(roles.begin(), roles.end(), site->role) != roles.end();
               });
  require(!sites.empty(), ErrorKind::kUsage,
          "{}: this {} base has no blocks of attention or of a feed-forward part; use ssf or lora",
          method, base.model_type);
  return sites;
}

void require_images(const BaseFacts& base, const std::string& method, const std::string& instead) {
  require(base.images, ErrorKind::kUsage, "{}: this {} base reads texts, not images; use {}",
          method, base.model_type, instead);
}

}  // namespace inlay
