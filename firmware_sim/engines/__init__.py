"""What runs an image: Unicorn and QEMU."""
