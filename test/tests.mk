# test/tests.mk - run the tests: `make test` all of them, `make test T=xcap` those whose binary has that in its name
T ?=
SELECTED := $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$(notdir $t)),$t)),$(TESTS))

.PHONY: test run-tests
test: # packages first, then a make of its own: what pkg-config says is read when make starts
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory run-tests
run-tests: all $(SELECTED)
	@SIPYARD_BUILD=$B test/run_tests $(SELECTED)
