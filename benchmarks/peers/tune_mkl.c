/* Makes Intel MKL take its AVX-512 path on processors of other makers.
 *
 *     cc -shared -fPIC -O2 -o tune_mkl.so tune_mkl.c
 *     LD_PRELOAD=$PWD/tune_mkl.so python peer.py shared ...
 *
 * MKL, which PyTorch uses for products in fp32, asks this function whether it runs on a processor by Intel, and falls
 * back to slower kernels where it does not: on Zen 5 a 1000 x 3072 x 576 product then reaches less than half of what it
 * can. On an Intel processor the answer is 1 anyway and preloading this makes no difference. compare.py builds and
 * preloads it itself.
 */
int mkl_serv_intel_cpu_true(void) { return 1; }
