"""What every engine shares: steps between located events, the path they leave, both clocks."""
