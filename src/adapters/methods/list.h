// All methods, one line each; a line names the file and the function method_<name>() in it.
INLAY_METHOD(lora)
INLAY_METHOD(ia3)
INLAY_METHOD(bottleneck)
INLAY_METHOD(bitfit)
INLAY_METHOD(ln_tuning)
INLAY_METHOD(last_n)
INLAY_METHOD(head)
INLAY_METHOD(full)
