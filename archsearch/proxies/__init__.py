"""Zero-cost proxies: what an untrained network and one batch of images say of its accuracy."""
