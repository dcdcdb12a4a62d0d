# test/tests.mk - run the tests: `make test` all of them, `make test T=xcap` those whose binary or tag has that name
T ?=
SELECTED := $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$(notdir $t)),$t)),$(TESTS))

test: all $(SELECTED)
	@SIPYARD_BUILD=$B test/run_tests $(SELECTED)
