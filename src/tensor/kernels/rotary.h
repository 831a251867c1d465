// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, eq. 34), in the layout of Hugging
// Face's Llama: of each head's first R channels, channel i turns with channel i + R/2.
//
//   y_i       = x_i cos(p, i) - x_{i+R/2} sin(p, i)        i < R/2, p the row's position
//   y_{i+R/2} = x_{i+R/2} cos(p, i) + x_i sin(p, i)        channels from R on stay as they are
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct Rotary {
  int64_t rows = 0;
  int64_t heads = 0;                   // H
  int64_t head_dim = 0;                // D
  int64_t turned = 0;                  // R, even, at most D
  const int32_t* positions = nullptr;  // (rows), rows of the tables
  Input cosine, sine;                  // (positions, R / 2), f32
  bool inverse = false;  // turns back, which is also how a gradient passes: the transpose
};

// src, dst: (rows, H D); dst may have the address and type of src.
void rotary(const Rotary& args, Input src, Output dst);

}  // namespace inlay::kernels
