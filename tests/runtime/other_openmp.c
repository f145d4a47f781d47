/* Stands for LLVM's OpenMP runtime by its name. */
int dlcc_other_openmp(void);
int dlcc_other_openmp(void) { return 5; }
