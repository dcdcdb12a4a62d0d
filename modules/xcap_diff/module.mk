# what documents are is the xcap_server module's to say, in tests too
TEST_NEEDS_xcap_diff := xcap_server
