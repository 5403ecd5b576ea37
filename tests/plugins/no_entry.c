// A shared object of somebody else.
int some_other_function(void);

int some_other_function(void) {
  return 1;
}
