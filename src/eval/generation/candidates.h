// The tokens that a draw is among, and the ways to have fewer of them. Every step takes time linear
// in the number of candidates, none sorts them, and the likeliest token always stays.
//
//   Candidates candidates = candidates_of(logits, 0.8);
//   keep_top_k(candidates, 50);
//   int32_t id = draw(candidates, u);   // u uniform in [0, 1)
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace inlay {

// A token's logit over the temperature, so much below the largest: 0 or less, never -infinity. Its
// probability is in proportion to exp(logit).
struct Candidate {
  int32_t id = 0;
  double logit = 0;
};
using Candidates = std::vector<Candidate>;  // by id

// Of equals the lower id counts as the likelier.
bool likelier(const Candidate& x, const Candidate& y);

// Tokens at -infinity are left out. REQUIRES: no logit is a not-a-number or +infinity, one is
// finite, temperature > 0.
Candidates candidates_of(std::span<const double> logits, double temperature);

// The k likeliest, and all as likely as the last of them; 0 keeps all.
void keep_top_k(Candidates& candidates, int64_t k);

// The nucleus: of the likeliest as few as have at least the share p of all probability (Holtzman et
// al. 2020, arXiv:1904.09751, eq. 2).
void keep_top_p(Candidates& candidates, double p);

// Those at least p times as likely as the likeliest (Nguyen et al. 2024, arXiv:2407.01082).
void keep_min_p(Candidates& candidates, double p);

// The token in whose share of the total, laid end to end by id, `u` falls: 0 <= u < 1.
int32_t draw(const Candidates& candidates, double u);

}  // namespace inlay
