#define DT_ALIAS(alias) (&stub_device)
