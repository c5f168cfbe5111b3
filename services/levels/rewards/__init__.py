"""The one grant path of this service: whatever levels hands out is granted here, once per grant id."""
