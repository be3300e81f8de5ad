"""Applications and decisions about membership, as a reader may see and take them."""
