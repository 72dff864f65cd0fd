"""What was asked and answered, and the judgement over it. Pure: values in, values out."""
